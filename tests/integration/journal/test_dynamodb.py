"""DynamoDB's protocol over connections that break, dawdle or lie: one function, inside one deadline."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from common.journal import ConditionFailed, DynamoDB, JournalUnavailable
from common.transport import Deadline, load_tls_context
from common.transport.credentials import Credentials, CredentialsError
from tests.integration.misbehaving import Misbehaving, Peer, Script, drips, hangs, response, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = {"TableName": "attempts"}
DONE = response(200, b'{"Attributes":{}}', "Content-Type: application/x-amz-json-1.0")


def error(kind: str, status: int = 400, **more: Any) -> Script:
    """DynamoDB's refusal by its error code."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "x", **more}
    return says(response(status, json.dumps(body).encode()))


def serves(peer: Peer) -> None:
    """One request after the other over one connection."""
    while True:
        peer.read()
        peer.send(DONE)


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with closing(Misbehaving(serves)) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: Misbehaving) -> Iterator[DynamoDB]:
    credentials = Credentials("AKID", "secret", "session")
    url = f"http://127.0.0.1:{endpoint.port}"
    with closing(DynamoDB(url, "eu-west-1", lambda: credentials)) as client:
        yield client


def call(client: DynamoDB, seconds: float = 5.0) -> dict[str, Any]:
    return client.call("UpdateItem", BODY, Deadline.after(seconds))


def unavailable(client: DynamoDB, seconds: float = 0.2) -> str:
    with pytest.raises(JournalUnavailable) as raised:
        call(client, seconds)
    return raised.value.reason


def test_what_is_sent(client: DynamoDB, endpoint: Misbehaving) -> None:
    assert call(client) == {"Attributes": {}}
    (asked,) = endpoint.asked
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/", BODY)
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert asked.headers["content-type"] == "application/x-amz-json-1.0"
    assert asked.headers["x-amz-security-token"] == "session"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert asked.headers["host"] == f"127.0.0.1:{endpoint.port}"


def test_nothing_is_connected_before_the_first_call(client: DynamoDB, endpoint: Misbehaving) -> None:
    assert endpoint.connections == 0


def test_a_connection_is_kept_from_call_to_call(client: DynamoDB, endpoint: Misbehaving) -> None:
    for _ in range(5):
        call(client)
    assert (endpoint.connections, len(endpoint.asked)) == (1, 5)


def test_a_kept_connection_that_was_closed_between_two_calls_is_not_used(
    client: DynamoDB, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Event()

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.socket.close()
        closed.set()

    endpoint.plays(serves_one, serves)
    call(client)
    assert closed.wait(5)
    monkeypatch.setattr(
        "common.journal.dynamodb.random.uniform", lambda *_: pytest.fail("a try was lost on it")
    )
    call(client)
    assert (endpoint.connections, len(endpoint.asked)) == (2, 2)


def test_nor_is_one_on_which_something_unasked_came(client: DynamoDB, endpoint: Misbehaving) -> None:
    heard, said = Event(), Event()

    def says_more(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        heard.wait(5)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        said.set()
        peer.hang()

    endpoint.plays(says_more, serves)
    call(client)
    heard.set()
    assert said.wait(5)
    assert call(client) == {"Attributes": {}}
    assert len(endpoint.asked) == 2


def test_one_that_is_closed_under_the_request_is_replaced(client: DynamoDB, endpoint: Misbehaving) -> None:
    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.read()
        peer.reset()

    endpoint.plays(serves_one, serves)
    call(client)
    call(client)
    assert (endpoint.connections, len(endpoint.asked)) == (2, 3)


def test_one_that_died_unseen_does_not_eat_the_deadline(
    client: DynamoDB, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a freeze of Lambda: no FIN came, and nothing answers."""
    monkeypatch.setattr("common.journal.dynamodb._FIRST_TIMEOUT", 0.1)

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.hang()

    endpoint.plays(serves_one, serves)
    call(client)
    assert call(client) == {"Attributes": {}}
    assert endpoint.connections == 2


def test_callers_at_once_have_a_connection_each_and_a_few_are_kept(
    client: DynamoDB, endpoint: Misbehaving
) -> None:
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: call(client), range(200)))
    assert answers == [{"Attributes": {}}] * 200
    assert endpoint.connections <= 200
    assert len(client._idle) <= 16


@pytest.mark.parametrize(
    "passing",
    [
        error("ThrottlingException"),
        error("ProvisionedThroughputExceededException"),
        error("RequestLimitExceeded"),
        error("InternalServerError", 500),
        error("ServiceUnavailable", 503),
        error("SomethingNew", 500),
        says(response(503, b"<html>")),
        says(response(200, b"not json")),
        says(response(200, b"[]", length=1)),
        says(b""),
        says(b"nonsense\r\n\r\n"),
        says(DONE[:-5]),
        lambda peer: peer.reset(),
    ],
)
def test_what_may_pass_is_tried_again_and_ends_at_the_deadline(
    passing: Script, client: DynamoDB, endpoint: Misbehaving
) -> None:
    endpoint.plays(passing, passing, serves)
    assert call(client) == {"Attributes": {}}
    assert endpoint.connections == 3
    client.close()
    endpoint.plays(passing)
    assert unavailable(client)


@pytest.mark.parametrize(
    "kind",
    ["ValidationException", "ResourceNotFoundException", "AccessDeniedException", "ExpiredTokenException"],
)
def test_what_does_not_pass_is_said_at_once(kind: str, client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.plays(error(kind))
    assert unavailable(client, 60) == kind
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("status", [301, 307, 404])
def test_an_answer_of_something_else_is_no_success(
    status: int, client: DynamoDB, endpoint: Misbehaving
) -> None:
    with closing(Misbehaving(serves)) as elsewhere:
        endpoint.plays(says(response(status, b"{}", f"Location: http://127.0.0.1:{elsewhere.port}/")))
        assert unavailable(client, 60) == f"http-{status}"
        assert elsewhere.connections == 0


def test_a_failed_condition_brings_the_old_item(client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.plays(error("ConditionalCheckFailedException", Item={"id": {"S": "x"}}))
    with pytest.raises(ConditionFailed) as failed:
        call(client)
    assert failed.value.item == {"id": {"S": "x"}}
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("slow", [hangs, drips(DONE), lambda peer: peer.hang()])
def test_slowness_ends_at_the_deadline(slow: Script, client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.plays(slow)
    assert unavailable(client) == "timeout"


def test_an_answer_without_end_is_left(client: DynamoDB, endpoint: Misbehaving) -> None:
    def endless(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b" " * 65536)

    endpoint.plays(endless)
    assert unavailable(client) in ("too-long", "timeout")


def test_a_table_that_is_not_there(client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.close()
    assert unavailable(client) == "refused"


def test_without_credentials_nothing_is_connected(endpoint: Misbehaving) -> None:
    def none() -> Credentials:
        raise CredentialsError("no")

    client = DynamoDB(f"http://127.0.0.1:{endpoint.port}", "eu-west-1", none)
    assert unavailable(client, 60) == "credentials"
    assert endpoint.connections == 0


@pytest.mark.parametrize(("name", "reason"), [("localhost", None), ("elsewhere.test", "tls")])
def test_over_tls_the_certificate_must_hold(
    name: str, reason: str | None, endpoint: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ssl

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr("common.journal.dynamodb.load_tls_context", load_tls_context.__wrapped__)
    endpoint.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(endpoint.tls)
    client = DynamoDB(f"https://localhost:{endpoint.port}", "eu-west-1", lambda: Credentials("A", "s", None))
    with closing(client):
        if reason:
            assert unavailable(client) == reason
            assert endpoint.asked == []
        else:
            assert call(client) == {"Attributes": {}}

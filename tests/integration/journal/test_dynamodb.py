"""The DynamoDB client over connections that break, are slow or send nonsense: its calls end by their deadline."""

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
from tests.integration.misbehaving import Misbehaving, Peer, Script, drips, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = {"TableName": "attempts"}
DONE = response(200, b'{"Attributes":{}}', "Content-Type: application/x-amz-json-1.0")


def error(kind: str, status: int = 400, **more: Any) -> Script:
    """Send an error of DynamoDB with this code."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "x", **more}
    return sends(response(status, json.dumps(body).encode()))


def serves(peer: Peer) -> None:
    """Serve one request after the other over one connection."""
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


def test_a_call_is_a_signed_post(client: DynamoDB, endpoint: Misbehaving) -> None:
    assert call(client) == {"Attributes": {}}
    (request,) = endpoint.requests
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/", BODY)
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-security-token"] == "session"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert request.headers["host"] == f"127.0.0.1:{endpoint.port}"


def test_the_first_call_opens_the_first_connection(client: DynamoDB, endpoint: Misbehaving) -> None:
    assert endpoint.connections == 0


def test_calls_reuse_a_connection(client: DynamoDB, endpoint: Misbehaving) -> None:
    for _ in range(5):
        call(client)
    assert (endpoint.connections, len(endpoint.requests)) == (1, 5)


def test_an_idle_connection_that_the_server_closed_is_not_reused(
    client: DynamoDB, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Event()

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.socket.close()
        closed.set()

    endpoint.set_scripts(serves_one, serves)
    call(client)
    assert closed.wait(5)
    monkeypatch.setattr(
        "common.journal.dynamodb.random.uniform", lambda *_: pytest.fail("the closed connection was used")
    )
    call(client)
    assert (endpoint.connections, len(endpoint.requests)) == (2, 2)


def test_an_idle_connection_with_unexpected_data_is_not_reused(
    client: DynamoDB, endpoint: Misbehaving
) -> None:
    received, sent = Event(), Event()

    def sends_more(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        received.wait(5)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        sent.set()
        peer.hang()

    endpoint.set_scripts(sends_more, serves)
    call(client)
    received.set()
    assert sent.wait(5)
    assert call(client) == {"Attributes": {}}
    assert len(endpoint.requests) == 2


def test_a_connection_that_is_reset_during_a_request_is_replaced(
    client: DynamoDB, endpoint: Misbehaving
) -> None:
    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.read()
        peer.reset()

    endpoint.set_scripts(serves_one, serves)
    call(client)
    call(client)
    assert (endpoint.connections, len(endpoint.requests)) == (2, 3)


def test_a_connection_that_broke_unnoticed_does_not_use_up_the_deadline(
    client: DynamoDB, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after Lambda froze the process: no FIN was received, and no response arrives."""
    monkeypatch.setattr("common.journal.dynamodb._FIRST_TIMEOUT", 0.1)

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.hang()

    endpoint.set_scripts(serves_one, serves)
    call(client)
    assert call(client) == {"Attributes": {}}
    assert endpoint.connections == 2


def test_concurrent_calls_have_a_connection_each_and_a_few_stay_idle(
    client: DynamoDB, endpoint: Misbehaving
) -> None:
    with ThreadPoolExecutor(40) as pool:
        responses = list(pool.map(lambda _: call(client), range(200)))
    assert responses == [{"Attributes": {}}] * 200
    assert endpoint.connections <= 200
    assert len(client._idle) <= 16


@pytest.mark.parametrize(
    "retryable",
    [
        error("ThrottlingException"),
        error("ProvisionedThroughputExceededException"),
        error("RequestLimitExceeded"),
        error("InternalServerError", 500),
        error("ServiceUnavailable", 503),
        error("SomethingNew", 500),
        sends(response(503, b"<html>")),
        sends(response(200, b"not json")),
        sends(response(200, b"[]", length=1)),
        sends(b""),
        sends(b"nonsense\r\n\r\n"),
        sends(DONE[:-5]),
        lambda peer: peer.reset(),
    ],
)
def test_a_retryable_failure_is_retried_until_the_deadline(
    retryable: Script, client: DynamoDB, endpoint: Misbehaving
) -> None:
    endpoint.set_scripts(retryable, retryable, serves)
    assert call(client) == {"Attributes": {}}
    assert endpoint.connections == 3
    client.close()
    endpoint.set_scripts(retryable)
    assert unavailable(client)


@pytest.mark.parametrize(
    "kind",
    ["ValidationException", "ResourceNotFoundException", "AccessDeniedException", "ExpiredTokenException"],
)
def test_any_other_error_is_raised_at_once(kind: str, client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(error(kind))
    assert unavailable(client, 60) == kind
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("status", [301, 307, 404])
def test_a_response_with_another_status_is_an_error(
    status: int, client: DynamoDB, endpoint: Misbehaving
) -> None:
    with closing(Misbehaving(serves)) as elsewhere:
        endpoint.set_scripts(sends(response(status, b"{}", f"Location: http://127.0.0.1:{elsewhere.port}/")))
        assert unavailable(client, 60) == f"http-{status}"
        assert elsewhere.connections == 0


def test_a_failed_condition_returns_the_old_item(client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(error("ConditionalCheckFailedException", Item={"id": {"S": "x"}}))
    with pytest.raises(ConditionFailed) as failed:
        call(client)
    assert failed.value.item == {"id": {"S": "x"}}
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("slow", [hangs, drips(DONE), lambda peer: peer.hang()])
def test_a_slow_response_ends_at_the_deadline(slow: Script, client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(slow)
    assert unavailable(client) == "timeout"


def test_an_endless_response_is_aborted(client: DynamoDB, endpoint: Misbehaving) -> None:
    def endless(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b" " * 65536)

    endpoint.set_scripts(endless)
    assert unavailable(client) in ("too-long", "timeout")


def test_a_closed_port_is_a_refused_connection(client: DynamoDB, endpoint: Misbehaving) -> None:
    endpoint.close()
    assert unavailable(client) == "refused"


def test_without_credentials_no_connection_is_opened(endpoint: Misbehaving) -> None:
    def none() -> Credentials:
        raise CredentialsError("no")

    client = DynamoDB(f"http://127.0.0.1:{endpoint.port}", "eu-west-1", none)
    assert unavailable(client, 60) == "credentials"
    assert endpoint.connections == 0


@pytest.mark.parametrize(("name", "reason"), [("localhost", None), ("elsewhere.test", "tls")])
def test_over_tls_the_certificate_must_be_valid(
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
            assert endpoint.requests == []
        else:
            assert call(client) == {"Attributes": {}}

"""The client of AWS services over connections that break, are slow or send wrong data: its calls end by their deadline.

Each test runs for each service that the functions call.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from common.aws import DYNAMODB, SECRETS_MANAGER, SYSTEMS_MANAGER, AwsError, Client, Service
from common.aws.credentials import Credentials, CredentialsError
from common.transport import Deadline, load_tls_context
from tests.integration.misbehaving import Misbehaving, Peer, Script, drips, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = {"Name": "attempts"}
RESULT: dict[str, Any] = {"Value": {}}
DONE = response(200, b'{"Value":{}}', "Content-Type: application/x-amz-json-1.1")


def error(kind: str, status: int = 400, **more: Any) -> Script:
    """Send an error response with this code."""
    return sends(response(status, json.dumps({"__type": kind, "message": "x", **more}).encode()))


def serves(peer: Peer) -> None:
    """Serve one request after the other over one connection."""
    while True:
        peer.read()
        peer.send(DONE)


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with closing(Misbehaving(serves)) as endpoint:
        yield endpoint


@pytest.fixture(params=[DYNAMODB, SECRETS_MANAGER, SYSTEMS_MANAGER], ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    service: Service = request.param
    return service


@pytest.fixture
def client(service: Service, endpoint: Misbehaving) -> Iterator[Client]:
    credentials = Credentials("AKID", "secret", "session")
    url = f"http://127.0.0.1:{endpoint.port}"
    with closing(Client(service, url, "eu-west-1", lambda: credentials)) as client:
        yield client


def call(client: Client, seconds: float = 5.0) -> dict[str, Any]:
    return client.call("GetIt", BODY, Deadline.after(seconds))


def failure(client: Client, seconds: float = 0.2) -> str:
    with pytest.raises(AwsError) as raised:
        call(client, seconds)
    return raised.value.reason


def test_a_call_is_a_signed_post(service: Service, client: Client, endpoint: Misbehaving) -> None:
    assert call(client) == RESULT
    (request,) = endpoint.requests
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/", BODY)
    assert request.headers["x-amz-target"] == f"{service.target}.GetIt"
    assert request.headers["content-type"] == f"application/x-amz-json-{service.version}"
    assert request.headers["x-amz-security-token"] == "session"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert request.headers["host"] == f"127.0.0.1:{endpoint.port}"


def test_the_first_call_opens_the_first_connection(client: Client, endpoint: Misbehaving) -> None:
    assert endpoint.connections == 0


def test_calls_reuse_a_connection(client: Client, endpoint: Misbehaving) -> None:
    for _ in range(5):
        call(client)
    assert (endpoint.connections, len(endpoint.requests)) == (1, 5)


def test_an_idle_connection_that_the_server_closed_is_not_reused(
    client: Client, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
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
        "common.aws.client.random.uniform", lambda *_: pytest.fail("the closed connection was used")
    )
    call(client)
    assert (endpoint.connections, len(endpoint.requests)) == (2, 2)


def test_an_idle_connection_with_unexpected_data_is_not_reused(client: Client, endpoint: Misbehaving) -> None:
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
    assert call(client) == RESULT
    assert len(endpoint.requests) == 2


def test_a_connection_that_is_reset_during_a_request_is_replaced(
    client: Client, endpoint: Misbehaving
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
    client: Client, endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after Lambda froze the process: no FIN was received, and no response arrives."""
    monkeypatch.setattr("common.aws.client._FIRST_TIMEOUT", 0.1)

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(DONE)
        peer.hang()

    endpoint.set_scripts(serves_one, serves)
    call(client)
    assert call(client) == RESULT
    assert endpoint.connections == 2


def test_concurrent_calls_have_a_connection_each_and_a_few_stay_idle(
    client: Client, endpoint: Misbehaving
) -> None:
    with ThreadPoolExecutor(40) as pool:
        responses = list(pool.map(lambda _: call(client), range(200)))
    assert responses == [RESULT] * 200
    assert endpoint.connections <= 200
    assert len(client._idle) <= 16


@pytest.mark.parametrize(
    "retryable",
    [
        error("ThrottlingException"),
        error("com.amazonaws.dynamodb.v20120810#ThrottlingException"),
        error("ProvisionedThroughputExceededException"),
        error("RequestLimitExceeded"),
        error("InternalServerError", 500),
        error("ServiceUnavailable", 503),
        error("InternalServiceError", 500),
        error("SomethingNew", 500),
        sends(response(503, b"<html>")),
        sends(response(200, b"not json")),
        sends(response(200, b"\xff")),
        sends(response(200, b"[" * 100_000)),
        sends(response(200, b"[]", length=1)),
        sends(b""),
        sends(b"nonsense\r\n\r\n"),
        sends(DONE[:-5]),
        lambda peer: peer.reset(),
    ],
)
def test_a_retryable_failure_is_retried_until_the_deadline(
    retryable: Script, client: Client, endpoint: Misbehaving
) -> None:
    endpoint.set_scripts(retryable, retryable, serves)
    assert call(client) == RESULT
    assert endpoint.connections == 3
    client.close()
    endpoint.set_scripts(retryable)
    assert failure(client)


@pytest.mark.parametrize(
    "kind",
    [
        "ValidationException",
        "ResourceNotFoundException",
        "ParameterNotFound",
        "AccessDeniedException",
        "DecryptionFailure",
        "ExpiredTokenException",
    ],
)
def test_any_other_error_is_raised_at_once(kind: str, client: Client, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(error(f"com.amazonaws.service#{kind}"), error(kind))
    assert [failure(client, 60), failure(client, 60)] == [kind, kind]
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("status", [301, 307, 404])
def test_a_response_with_another_status_is_an_error(
    status: int, client: Client, endpoint: Misbehaving
) -> None:
    with closing(Misbehaving(serves)) as elsewhere:
        endpoint.set_scripts(sends(response(status, b"{}", f"Location: http://127.0.0.1:{elsewhere.port}/")))
        assert failure(client, 60) == f"http-{status}"
        assert elsewhere.connections == 0


def test_an_error_has_the_document_of_the_response(client: Client, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(error("ConditionalCheckFailedException", Item={"id": {"S": "x"}}))
    with pytest.raises(AwsError) as raised:
        call(client)
    assert raised.value.document["Item"] == {"id": {"S": "x"}}


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"'])
def test_a_success_that_is_no_object_is_an_error(body: bytes, client: Client, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(sends(response(200, body)))
    assert failure(client, 60) == "http-200"


@pytest.mark.parametrize("slow", [hangs, drips(DONE), lambda peer: peer.hang()])
def test_a_slow_response_ends_at_the_deadline(slow: Script, client: Client, endpoint: Misbehaving) -> None:
    endpoint.set_scripts(slow)
    assert failure(client) == "timeout"


def test_an_endless_response_is_aborted(client: Client, endpoint: Misbehaving) -> None:
    def endless(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b" " * 65536)

    endpoint.set_scripts(endless)
    assert failure(client) in ("too-long", "timeout")


def test_a_closed_port_is_a_refused_connection(client: Client, endpoint: Misbehaving) -> None:
    endpoint.close()
    assert failure(client) == "refused"


def test_without_credentials_no_connection_is_opened(service: Service, endpoint: Misbehaving) -> None:
    def none() -> Credentials:
        raise CredentialsError("no")

    client = Client(service, f"http://127.0.0.1:{endpoint.port}", "eu-west-1", none)
    assert failure(client, 60) == "credentials"
    assert endpoint.connections == 0


@pytest.mark.parametrize(("name", "reason"), [("localhost", None), ("elsewhere.test", "tls")])
def test_over_tls_the_certificate_must_be_valid(
    name: str, reason: str | None, endpoint: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ssl

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr("common.aws.client.load_tls_context", load_tls_context.__wrapped__)
    endpoint.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(endpoint.tls)
    client = Client(
        DYNAMODB, f"https://localhost:{endpoint.port}", "eu-west-1", lambda: Credentials("A", "s", None)
    )
    with closing(client):
        if reason:
            assert failure(client) == reason
            assert endpoint.requests == []
        else:
            assert call(client) == RESULT

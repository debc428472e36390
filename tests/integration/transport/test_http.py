"""One connection and one request: which failures are NotConnected or IncompleteResponse, and when a connection is reusable."""

from __future__ import annotations

from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest

from common.transport import Connection, Deadline, IncompleteResponse, NotConnected, connect
from tests.integration.misbehaving import Misbehaving, Peer, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = response(200, b"body", "X-Name: a", "x-name: b")


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with closing(Misbehaving(sends(OK))) as server:
        yield server


def open_connection(server: Misbehaving, seconds: float = 5.0) -> Connection:
    return connect("127.0.0.1", server.port, "127.0.0.1", Deadline.after(seconds))


def test_a_response_is_complete_and_its_header_names_are_in_lower_case(server: Misbehaving) -> None:
    with closing(open_connection(server)) as connection:
        received = connection.request("GET", "/a?b=c", {"X-Sent": "1"}, b"", Deadline.after(5))
    assert (received.status, received.body) == (200, b"body")
    assert set(received.headers) == {"content-length", "x-name"}
    (request,) = server.requests
    assert (request.method, request.path, request.headers["x-sent"]) == ("GET", "/a?b=c", "1")
    assert "content-length" not in request.headers


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_request_without_a_body_sends_content_length_0(method: str, server: Misbehaving) -> None:
    with closing(open_connection(server)) as connection:
        connection.request(method, "/", {}, b"", Deadline.after(5))
    assert server.requests[0].headers["content-length"] == "0"


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\rb"])
def test_a_line_break_in_a_header_is_never_sent(text: str, server: Misbehaving) -> None:
    with closing(open_connection(server)) as connection:
        with pytest.raises(ValueError, match="line break"):
            connection.request("GET", "/", {"X-Sent": text}, b"", Deadline.after(5))
        with pytest.raises(ValueError, match="line break"):
            connection.request("GET", f"/{text}", {}, b"", Deadline.after(5))
    assert server.requests == []


def test_a_connection_is_idle_until_its_peer_closes_it(server: Misbehaving) -> None:
    close_now, closed = Event(), Event()

    def serve_one(peer: Peer) -> None:
        peer.read()
        peer.send(OK)
        close_now.wait(5)
        peer.socket.close()
        closed.set()

    server.set_scripts(serve_one)
    with closing(open_connection(server)) as connection:
        connection.request("GET", "/", {}, b"", Deadline.after(5))
        assert connection.is_idle()
        close_now.set()
        assert closed.wait(5)
        assert not connection.is_idle()


def test_a_connection_that_this_side_closed_is_not_idle(server: Misbehaving) -> None:
    server.set_scripts(sends(response(200, b"", "Connection: close")))
    with closing(open_connection(server)) as connection:
        connection.request("GET", "/", {}, b"", Deadline.after(5))
        assert not connection.is_idle()


@pytest.mark.parametrize(
    ("data", "reason", "received_any"),
    [
        (b"", "reset", False),
        (OK[:30], "reset", True),
        (OK[:-2], "reset", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed", True),
        (response(200, b"x" * 101), "too-long", True),
    ],
)
def test_an_incomplete_response_raises_and_closes_the_connection(
    data: bytes, reason: str, received_any: bool, server: Misbehaving
) -> None:
    server.set_scripts(sends(data))
    with closing(open_connection(server)) as connection:
        with pytest.raises(IncompleteResponse) as incomplete:
            connection.request("GET", "/", {}, b"", Deadline.after(5), limit=100)
        assert (incomplete.value.reason, incomplete.value.received_any) == (reason, received_any)
        assert not connection.is_idle()


def test_a_body_of_exactly_the_limit_is_complete(server: Misbehaving) -> None:
    server.set_scripts(sends(response(200, b"x" * 100)))
    with closing(open_connection(server)) as connection:
        assert len(connection.request("GET", "/", {}, b"", Deadline.after(5), limit=100).body) == 100


def test_a_request_that_the_peer_never_reads_ends_at_the_deadline(server: Misbehaving) -> None:
    """The body is larger than the buffers of both sockets, and the peer reads nothing."""
    server.set_scripts(lambda peer: peer._server.wait(5))
    with closing(open_connection(server)) as connection, pytest.raises(IncompleteResponse) as incomplete:
        connection.request("PUT", "/", {}, b"x" * 30_000_000, Deadline.after(0.2))
    assert incomplete.value.reason == "timeout"


def test_without_remaining_time_nothing_is_connected_or_sent(server: Misbehaving) -> None:
    with pytest.raises(NotConnected, match="timeout"):
        open_connection(server, -1)
    assert server.connections == 0
    with closing(open_connection(server)) as connection, pytest.raises(NotConnected, match="timeout"):
        connection.request("GET", "/", {}, b"", Deadline.after(-1))
    assert server.requests == []


def test_a_peer_that_sends_nothing_raises_without_received_bytes(server: Misbehaving) -> None:
    server.set_scripts(hangs)
    with closing(open_connection(server)) as connection, pytest.raises(IncompleteResponse) as incomplete:
        connection.request("GET", "/", {}, b"", Deadline.after(0.1))
    assert (incomplete.value.reason, incomplete.value.received_any) == ("timeout", False)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "256.1.1.1"])
def test_a_name_that_cannot_be_resolved_is_not_connected(name: str) -> None:
    with pytest.raises(NotConnected):
        connect(name, 80, name, Deadline.after(5))

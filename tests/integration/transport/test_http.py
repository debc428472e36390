"""One connection, one request: what counts as never connected, what as broken off, and when a kept one may be used again."""

from __future__ import annotations

from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.integration.misbehaving import Misbehaving, Peer, hangs, response, says
from transport import Broken, Connection, Deadline, NotConnected, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = response(200, b"body", "X-Name: a", "x-name: b")


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with closing(Misbehaving(says(OK))) as server:
        yield server


def opened(server: Misbehaving, seconds: float = 5.0) -> Connection:
    return connect("127.0.0.1", server.port, "127.0.0.1", Deadline.after(seconds))


def test_a_response_is_whole_and_its_names_in_lower_case(server: Misbehaving) -> None:
    with closing(opened(server)) as connection:
        got = connection.request("GET", "/a?b=c", {"X-Sent": "1"}, b"", Deadline.after(5))
    assert (got.status, got.body) == (200, b"body")
    assert set(got.headers) == {"content-length", "x-name"}
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["x-sent"]) == ("GET", "/a?b=c", "1")
    assert "content-length" not in asked.headers


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_request_without_a_body_says_so(method: str, server: Misbehaving) -> None:
    with closing(opened(server)) as connection:
        connection.request(method, "/", {}, b"", Deadline.after(5))
    assert server.asked[0].headers["content-length"] == "0"


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\rb"])
def test_a_line_break_in_a_header_is_never_sent(text: str, server: Misbehaving) -> None:
    with closing(opened(server)) as connection:
        with pytest.raises(ValueError, match="line break"):
            connection.request("GET", "/", {"X-Sent": text}, b"", Deadline.after(5))
        with pytest.raises(ValueError, match="line break"):
            connection.request("GET", f"/{text}", {}, b"", Deadline.after(5))
    assert server.asked == []


def test_a_kept_connection_is_idle_until_its_peer_closes_it(server: Misbehaving) -> None:
    closes, closed = Event(), Event()

    def serves_one(peer: Peer) -> None:
        peer.read()
        peer.send(OK)
        closes.wait(5)
        peer.socket.close()
        closed.set()

    server.plays(serves_one)
    with closing(opened(server)) as connection:
        connection.request("GET", "/", {}, b"", Deadline.after(5))
        assert connection.is_idle()
        closes.set()
        assert closed.wait(5)
        assert not connection.is_idle()


def test_nor_is_one_that_was_closed_here(server: Misbehaving) -> None:
    server.plays(says(response(200, b"", "Connection: close")))
    with closing(opened(server)) as connection:
        connection.request("GET", "/", {}, b"", Deadline.after(5))
        assert not connection.is_idle()


@pytest.mark.parametrize(
    ("data", "reason", "heard"),
    [
        (b"", "reset", False),
        (OK[:30], "reset", True),
        (OK[:-2], "reset", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed", True),
        (response(200, b"x" * 101), "too-long", True),
    ],
)
def test_what_is_not_whole_is_broken_and_the_connection_closed(
    data: bytes, reason: str, heard: bool, server: Misbehaving
) -> None:
    server.plays(says(data))
    with closing(opened(server)) as connection:
        with pytest.raises(Broken) as broken:
            connection.request("GET", "/", {}, b"", Deadline.after(5), limit=100)
        assert (broken.value.reason, broken.value.heard) == (reason, heard)
        assert not connection.is_idle()


def test_a_body_of_just_the_limit_is_whole(server: Misbehaving) -> None:
    server.plays(says(response(200, b"x" * 100)))
    with closing(opened(server)) as connection:
        assert len(connection.request("GET", "/", {}, b"", Deadline.after(5), limit=100).body) == 100


def test_a_request_that_is_never_read_ends_at_the_deadline(server: Misbehaving) -> None:
    """A body larger than both sockets' buffers, to a peer that reads nothing."""
    server.plays(lambda peer: peer._server.wait(5))
    with closing(opened(server)) as connection, pytest.raises(Broken) as broken:
        connection.request("PUT", "/", {}, b"x" * 30_000_000, Deadline.after(0.2))
    assert broken.value.reason == "timeout"


def test_without_time_nothing_is_connected_and_nothing_sent(server: Misbehaving) -> None:
    with pytest.raises(NotConnected, match="timeout"):
        opened(server, -1)
    assert server.connections == 0
    with closing(opened(server)) as connection, pytest.raises(NotConnected, match="timeout"):
        connection.request("GET", "/", {}, b"", Deadline.after(-1))
    assert server.asked == []


def test_silence_is_broken_and_nothing_was_heard(server: Misbehaving) -> None:
    server.plays(hangs)
    with closing(opened(server)) as connection, pytest.raises(Broken) as broken:
        connection.request("GET", "/", {}, b"", Deadline.after(0.1))
    assert (broken.value.reason, broken.value.heard) == ("timeout", False)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "256.1.1.1"])
def test_a_name_that_cannot_be_resolved_was_never_connected(name: str) -> None:
    with pytest.raises(NotConnected):
        connect(name, 80, name, Deadline.after(5))

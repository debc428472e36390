"""HTTP/1.1 on the wire: bodies in every framing, keep-alive, and malformed requests."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from local.server import BODY_LIMIT, HEAD_LIMIT
from tests.integration.gateway.raw import connected, exchange, read

if TYPE_CHECKING:
    from tests.integration.gateway.conftest import Gateway

HEAD = b"POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", "hello"),
        (b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
        (b"00A;name=value\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        (b"1\r\nx\r\n0\r\nTrailer: ignored\r\n\r\n", "x"),
    ],
)
def test_a_chunked_body_is_joined(gateway: Gateway, chunks: bytes, body: str) -> None:
    assert exchange(gateway.url, CHUNKED + chunks).status == 204
    (event,) = gateway.events
    assert event["body"] == body
    assert event["headers"]["content-length"] == str(len(body))


def test_an_empty_chunked_body_is_no_body(gateway: Gateway) -> None:
    assert exchange(gateway.url, CHUNKED + b"0\r\n\r\n").status == 204
    assert "body" not in gateway.events[0]


def test_requests_follow_each_other_on_a_kept_connection(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        for framing in (
            b"Content-Length: 2\r\n\r\nab",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        ):
            for _ in range(2):
                connection.sendall(HEAD + framing)
                assert read(connection).status == 204
    assert [event["body"] for event in gateway.events] == ["ab"] * 4


def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        connection.sendall((HEAD + b"Content-Length: 2\r\n\r\nab") * 3)
        assert [read(connection).status for _ in range(3)] == [204] * 3


@pytest.mark.parametrize(
    "head", [b"GET /any HTTP/1.0\r\n\r\n", b"GET /any HTTP/1.1\r\nConnection: close\r\n\r\n"]
)
def test_a_connection_is_closed_if_the_client_requests_it(gateway: Gateway, head: bytes) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(head)
        assert read(connection).headers["connection"] == "close"
        assert connection.recv(1) == b""


def test_a_client_that_expects_100_continue_receives_it(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert read(connection).status == 204
    assert gateway.events[0]["body"] == "ab"


def test_a_body_in_many_pieces_is_waited_for(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        for byte in HEAD + b"Content-Length: 3\r\n\r\nabc":
            connection.sendall(bytes([byte]))
        assert read(connection).status == 204
    assert gateway.events[0]["body"] == "abc"


def test_the_largest_body_passes_and_one_byte_more_does_not(gateway: Gateway) -> None:
    body = b"x" * BODY_LIMIT
    assert exchange(gateway.url, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body).status == 204
    answer = exchange(gateway.url, HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body + b"x")
    assert (answer.status, answer.body) == (413, b'{"message": "Request Entity Too Large"}')
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    assert exchange(gateway.url, CHUNKED + chunk * 10).status == 413
    assert len(gateway.events) == 1


def test_a_body_that_is_too_long_is_rejected_before_100_continue(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(HEAD + b"Content-Length: 10000001\r\nExpect: 100-continue\r\n\r\n")
        assert read(connection).status == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /any SPDY/3\r\n\r\n", 400),
        (b"GET /any HTTP/2.0\r\n\r\n", 505),
        (b"GET / any HTTP/1.1\r\n\r\n", 400),
        (b"GET /any HTTP/1.1\r\nno colon\r\nContent-Length: 3\r\n\r\n", 400),
        (b"GET /any HTTP/1.1\r\nName : value\r\n\r\n", 400),
        (b"GET /any HTTP/1.1\r\nName: a\rContent-Length: 3\r\n\r\n", 400),
        (b"GET /any HTTP/1.1\r\nName: a\0b\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: +1\r\n\r\nx", 400),
        (HEAD + b"Content-Length: 1_0\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400),
        (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\r\nhello\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (b"GET /" + b"x" * HEAD_LIMIT + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /any HTTP/1.1\r\nX: " + b"x" * HEAD_LIMIT + b"\r\n\r\n", 431),
        (b"GET /any HTTP/1.1\r\n" + b"X: x\r\n" * 101 + b"\r\n", 431),
    ],
)
def test_a_request_that_cannot_be_parsed_is_rejected_and_the_connection_closed(
    gateway: Gateway, data: bytes, status: int
) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(data)
        answer = read(connection)
        assert connection.recv(1) == b""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert b"message" in answer.body
    assert gateway.called == []


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", HEAD, HEAD + b"Content-Length: 9\r\n\r\nabc", CHUNKED + b"5\r\nhe"]
)
def test_an_incomplete_request_calls_no_function_and_the_server_goes_on(
    gateway: Gateway, data: bytes
) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000):
            pass
    assert gateway.called == []
    assert exchange(gateway.url, HEAD + b"\r\n").status == 204


def test_closing_ends_kept_connections(gateway: Gateway) -> None:
    with connected(gateway.url) as connection:
        connection.sendall(HEAD + b"\r\n")
        assert read(connection).status == 204
        gateway.server.close()
        assert connection.recv(1) == b""

"""Parsing one HTTP response: framing, limits, and agreement with the client of the standard library."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from http.client import HTTPResponse
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.transport import Deadline
from common.transport.response_parser import Malformed, ResponseParser, TooLong, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OK = b"HTTP/1.1 200 OK\r\n"
LIMIT = 100


@contextmanager
def receiving(pieces: Sequence[bytes], *, closed: bool = True) -> Iterator[socket.socket]:
    """Yield a socket that receives `pieces`."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for piece in pieces:
            theirs.sendall(piece)
        if closed:
            theirs.shutdown(socket.SHUT_WR)
        yield ours


def read(*pieces: bytes, method: str = "GET", closed: bool = True) -> tuple[int, bytes, bool]:
    """Return the status code, the body, and whether the connection can be used again."""
    with receiving(pieces, closed=closed) as sock:
        parser = ResponseParser(sock, Deadline.after(2), LIMIT)
        status, _, body = parser.read(method)
    return status, body, parser.reusable


@pytest.mark.parametrize(
    ("response", "body", "reusable"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", b"{}", True),
        (OK + b"content-length:2\r\n\r\n{}", b"{}", True),
        (OK + b"Content-Length: 0002\r\n\r\n{}", b"{}", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", b"{}", False),
        (OK + b"Content-Length: 2\r\nConnection: Close, TE\r\n\r\n{}", b"{}", False),
        (OK + b"Content-Length: 2\r\n\r\n{}more", b"{}", False),
        (OK + b"\r\n{}", b"{}", False),
        (OK + b"Content-Length: 2, 2\r\n\r\n{}", b"{}", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", b"{}", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n02\r\n{}\r\n000\r\nTrailer: x\r\n\r\n", b"{}", True),
        (
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"{}",
            False,
        ),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}", b"{}", True),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}", b"{}", True),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
            b"{}",
            True,
        ),
    ],
)
def test_the_framing_marks_the_end_of_the_body(response: bytes, body: bytes, reusable: bool) -> None:
    assert read(response)[1:] == (body, reusable)


def test_a_response_to_head_has_no_body_to_wait_for() -> None:
    assert read(OK + b"Content-Length: 2\r\n\r\n", method="HEAD", closed=False) == (200, b"", True)


def test_header_names_are_in_lower_case() -> None:
    with receiving(
        [OK + b"Content-Length: 0\r\nX-Name: \t a:b \r\nX-Empty:\r\nX-Long: a\r\n  b\r\n\r\n"]
    ) as sock:
        _, headers, _ = ResponseParser(sock, Deadline.after(2), LIMIT).read("GET")
    assert headers == {"content-length": "0", "x-name": "a:b", "x-empty": "", "x-long": "a b"}


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"\r\n" + OK + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK + b"\r\n{}",
        OK + b"no colon\r\n\r\n",
        OK + b"Name : value\r\n\r\n",
        OK + b": value\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    ],
)
def test_bytes_that_are_not_http_are_malformed(response: bytes) -> None:
    with pytest.raises(Malformed):
        read(response)


@pytest.mark.parametrize(
    "response",
    [
        OK + b"Content-Length: 101\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"\r\n" + b"x" * 101,
        OK + b"Transfer-Encoding: chunked\r\n\r\n65\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 101,
        OK + b"X: " + b"x" * 40_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
    ],
)
def test_a_response_over_the_limits_is_too_long(response: bytes) -> None:
    with pytest.raises(TooLong):
        read(response)


WHOLE = OK + b"Transfer-Encoding: chunked\r\nX: y\r\n\r\n2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_connection_that_closes_within_a_response_is_truncated(end: int) -> None:
    with pytest.raises(Truncated):
        read(WHOLE[:end])


@pytest.mark.parametrize("closed", [True, False])
def test_a_body_shorter_than_its_content_length_is_truncated_or_times_out(closed: bool) -> None:
    with receiving([OK + b"Content-Length: 3\r\n\r\n{}"], closed=closed) as sock:
        parser = ResponseParser(sock, Deadline.after(0.05), LIMIT)
        with pytest.raises(Truncated if closed else TimeoutError):
            parser.read("GET")
        assert parser.received_any


def test_without_any_byte_nothing_was_received() -> None:
    with receiving([], closed=False) as sock:
        parser = ResponseParser(sock, Deadline.after(0.05), LIMIT)
        with pytest.raises(TimeoutError):
            parser.read("GET")
        assert not parser.received_any


NAMES = st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True)
VALUES = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)


@given(
    # 204 and 304 have no body, even if chunked (RFC 9112, section 6.3). The standard library reads one.
    status=st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    headers=st.dictionaries(NAMES.map(str.lower), VALUES, max_size=4),
    body=st.binary(max_size=LIMIT),
    framing=st.sampled_from(["length", "chunked", "close"]),
    cuts=st.lists(st.integers(0, 300), max_size=4),
)
def test_the_result_equals_that_of_the_standard_library(
    status: int, headers: dict[str, str], body: bytes, framing: str, cuts: list[int]
) -> None:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        half = len(body) // 2
        chunks = [chunk for chunk in (body[:half], body[half:]) if chunk]
        content = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    else:
        content = body
    response = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    boundaries = sorted({0, *(cut for cut in cuts if cut < len(response)), len(response)})
    pieces = [response[start:end] for start, end in pairwise(boundaries)]

    with receiving([response]) as sock, HTTPResponse(sock) as standard:
        standard.begin()
        expected = (
            standard.status,
            {name.lower(): value for name, value in standard.getheaders()},
            standard.read(),
        )
    with receiving(pieces) as sock:
        assert ResponseParser(sock, Deadline.after(2), LIMIT).read("GET") == expected

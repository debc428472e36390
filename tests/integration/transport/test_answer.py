"""Reading one HTTP answer: framing, limits, and agreement with the standard library's own client."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from http.client import HTTPResponse
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import Deadline
from transport.answer import CutOff, Incoming, Malformed, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OK = b"HTTP/1.1 200 OK\r\n"
LIMIT = 100


@contextmanager
def sent(pieces: Sequence[bytes], *, closed: bool = True) -> Iterator[socket.socket]:
    """The socket at which `pieces` arrive."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for piece in pieces:
            theirs.sendall(piece)
        if closed:
            theirs.shutdown(socket.SHUT_WR)
        yield ours


def read(*pieces: bytes, method: str = "GET", closed: bool = True) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection may be used again."""
    with sent(pieces, closed=closed) as sock:
        incoming = Incoming(sock, Deadline.after(2), LIMIT)
        status, _, body = incoming.answer(method)
    return status, body, incoming.reusable


@pytest.mark.parametrize(
    ("answer", "body", "reusable"),
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
def test_a_body_ends_where_its_framing_says(answer: bytes, body: bytes, reusable: bool) -> None:
    assert read(answer)[1:] == (body, reusable)


def test_an_answer_without_a_body_is_not_waited_for() -> None:
    assert read(OK + b"Content-Length: 2\r\n\r\n", method="HEAD", closed=False) == (200, b"", True)


def test_headers_are_told_by_lower_case_names() -> None:
    with sent([OK + b"Content-Length: 0\r\nX-Name: \t a:b \r\nX-Empty:\r\nX-Long: a\r\n  b\r\n\r\n"]) as sock:
        _, headers, _ = Incoming(sock, Deadline.after(2), LIMIT).answer("GET")
    assert headers == {"content-length": "0", "x-name": "a:b", "x-empty": "", "x-long": "a b"}


@pytest.mark.parametrize(
    "answer",
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
def test_what_is_no_http_is_refused(answer: bytes) -> None:
    with pytest.raises(Malformed):
        read(answer)


@pytest.mark.parametrize(
    "answer",
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
def test_more_than_was_asked_for_is_refused(answer: bytes) -> None:
    with pytest.raises(TooLong):
        read(answer)


WHOLE = OK + b"Transfer-Encoding: chunked\r\nX: y\r\n\r\n2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_half_an_answer_is_none(end: int) -> None:
    with pytest.raises(CutOff):
        read(WHOLE[:end])


@pytest.mark.parametrize("closed", [True, False])
def test_a_body_shorter_than_announced_is_none(closed: bool) -> None:
    with sent([OK + b"Content-Length: 3\r\n\r\n{}"], closed=closed) as sock:
        incoming = Incoming(sock, Deadline.after(0.05), LIMIT)
        with pytest.raises(CutOff if closed else TimeoutError):
            incoming.answer("GET")
        assert incoming.heard


def test_silence_was_not_heard() -> None:
    with sent([], closed=False) as sock:
        incoming = Incoming(sock, Deadline.after(0.05), LIMIT)
        with pytest.raises(TimeoutError):
            incoming.answer("GET")
        assert not incoming.heard


NAMES = st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True)
VALUES = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)


@given(
    # 204 and 304 have no body, chunked or not (RFC 9112, 6.3); the standard library reads one.
    status=st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    headers=st.dictionaries(NAMES.map(str.lower), VALUES, max_size=4),
    body=st.binary(max_size=LIMIT),
    framing=st.sampled_from(["length", "chunked", "close"]),
    cuts=st.lists(st.integers(0, 300), max_size=4),
)
def test_it_reads_what_the_standard_library_reads(
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
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    places = sorted({0, *(cut for cut in cuts if cut < len(answer)), len(answer)})
    pieces = [answer[start:end] for start, end in pairwise(places)]

    with sent([answer]) as sock, HTTPResponse(sock) as theirs:
        theirs.begin()
        expected = theirs.status, {name.lower(): value for name, value in theirs.getheaders()}, theirs.read()
    with sent(pieces) as sock:
        assert Incoming(sock, Deadline.after(2), LIMIT).answer("GET") == expected

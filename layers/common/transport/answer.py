"""One HTTP/1.1 answer, read from a socket within a deadline and a number of bytes.

    Malformed    no HTTP/1.1
    TooLong      more bytes than it may have
    CutOff       the peer closed before the end that it had announced

RFC 9112, without what a client of JSON never needs. `http.client` would read the same, but through `email`, whose import is a twentieth
of a cold start and whose parser of headers is a sixth of a warm request's computing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from transport.deadline import Deadline

_PIECE = 16 * 1024
_HEAD_LIMIT = 32 * 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_END_OF_LINE = re.compile(rb"\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)
_LONGEST_END = 4  # bytes of CR LF CR LF


class Malformed(Exception):
    """What came is no HTTP/1.1."""


class TooLong(Exception):
    """The body is longer than asked for, or the head than anybody needs."""


class CutOff(Exception):
    """The peer closed in the middle."""


class Incoming:
    """What a peer sends in answer to one request; no wait goes past `deadline`, no body beyond `limit` bytes."""

    __slots__ = ("_budget", "_deadline", "_limit", "_received", "_sock", "heard", "reusable")

    def __init__(self, sock: socket.socket, deadline: Deadline, limit: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._limit = limit
        self._budget = limit + _HEAD_LIMIT
        self._received = bytearray()
        self.heard = False
        """Whether anything came."""
        self.reusable = False
        """Whether another request may follow on the same connection; known after `answer`."""

    def answer(self, method: str) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers by their names in lower case, and the body of the final answer.

        Raises
        ------
        Malformed, TooLong, CutOff
        OSError
            Of the socket; TimeoutError at the deadline.
        """
        while True:
            version, status, headers = self._head()
            if status >= 200:
                break
            if status == 101:  # nobody asked for another protocol
                raise Malformed
        body, framed = self._body(method, status, headers)
        wishes = headers.get("connection", "").lower()
        stays = "keep-alive" in wishes if version == b"0" else "close" not in wishes
        self.reusable = stays and framed and not self._received
        return status, headers, body

    def _head(self) -> tuple[bytes, int, dict[str, str]]:
        first, *lines = _END_OF_LINE.split(_FOLD.sub(b" ", self._until(_END_OF_HEAD)))
        found = _STATUS.fullmatch(first)
        if not found:
            raise Malformed
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not _NAME.fullmatch(name):
                raise Malformed
            headers[name.decode().lower()] = value.strip(b" \t").decode("latin-1")
        return found[1], int(found[2]), headers

    def _body(self, method: str, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """The body, and whether it had an end of its own (RFC 9112, 6.3)."""
        if method == "HEAD" or status in (204, 304):
            return b"", True
        if "transfer-encoding" in headers:
            chunked = headers["transfer-encoding"].lower() == "chunked"
            return (self._chunks(), "content-length" not in headers) if chunked else (self._rest(), False)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal()):
            return self._rest(), False
        return self._exactly(int(length.lstrip("0")[:10] or 0)), True

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            found = _SIZE.fullmatch(self._until(_END_OF_LINE))
            if not found:
                raise Malformed
            size = int(found[1], 16)
            if not size:
                break
            if len(body) + size > self._limit:
                raise TooLong
            body += self._exactly(size)
            if self._until(_END_OF_LINE):
                raise Malformed
        while self._until(_END_OF_LINE):  # trailers
            pass
        return bytes(body)

    def _until(self, end: re.Pattern[bytes]) -> bytes:
        """What comes before `end`, which is dropped."""
        searched = 0
        while not (found := end.search(self._received, searched)):
            searched = max(0, len(self._received) - _LONGEST_END)
            if not self._more():
                raise CutOff
        taken = bytes(self._received[: found.start()])
        del self._received[: found.end()]
        return taken

    def _exactly(self, size: int) -> bytes:
        if size > self._limit:
            raise TooLong
        while len(self._received) < size:
            if not self._more():
                raise CutOff
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _rest(self) -> bytes:
        """All that comes until the peer closes."""
        while len(self._received) <= self._limit:
            if not self._more():
                return bytes(self._received)
        raise TooLong

    def _more(self) -> bool:
        """Wait for more bytes; False where the peer has closed."""
        self._sock.settimeout(self._deadline.left())
        piece = self._sock.recv(_PIECE)
        self._received += piece
        self.heard = self.heard or bool(piece)
        self._budget -= len(piece)
        if self._budget < 0:
            raise TooLong
        return bool(piece)

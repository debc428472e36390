"""Read one HTTP/1.1 response from a socket, within a deadline and a maximum number of bytes.

    Malformed    the bytes are not HTTP/1.1
    TooLong      the response is longer than allowed
    Truncated    the peer closed the connection before the end of the response

This implements the part of RFC 9112 that a client of JSON needs. `http.client` parses headers with `email`: its import
is a twentieth of a cold start, and its parser is a sixth of the CPU time of a warm request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from common.transport.deadline import Deadline

_RECEIVE_SIZE = 16 * 1024
_HEAD_LIMIT = 32 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?")
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_END_OF_LINE = re.compile(rb"\r?\n")
_LINE_FOLDING = re.compile(rb"\r?\n[ \t]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)
_LONGEST_DELIMITER = 4  # bytes of CR LF CR LF


class Malformed(Exception):
    """The received bytes are not HTTP/1.1."""


class TooLong(Exception):
    """The body is longer than the limit, or the head is longer than `_HEAD_LIMIT`."""


class Truncated(Exception):
    """The peer closed the connection before the end of the response."""


class ResponseParser:
    """Reads the response to one request. No wait exceeds `deadline`, and no body exceeds `limit` bytes."""

    __slots__ = ("_budget", "_deadline", "_limit", "_received", "_sock", "received_any", "reusable")

    def __init__(self, sock: socket.socket, deadline: Deadline, limit: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._limit = limit
        self._budget = limit + _HEAD_LIMIT
        self._received = bytearray()
        self.received_any = False
        """Whether any byte was received."""
        self.reusable = False
        """Whether the connection can be used for another request; set by `read`."""

    def read(self, method: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return the status code, the headers by their names in lower case, and the body. Skip interim responses (1xx).

        Raises
        ------
        Malformed, TooLong, Truncated
        OSError
            An error of the socket; TimeoutError at the deadline.
        """
        while True:
            version, status, headers = self._read_head()
            if status >= 200:
                break
            if status == 101:  # no request asks for another protocol
                raise Malformed
        body, framed = self._read_body(method, status, headers)
        connection = headers.get("connection", "").lower()
        keep_alive = "keep-alive" in connection if version == b"0" else "close" not in connection
        self.reusable = keep_alive and framed and not self._received
        return status, headers, body

    def _read_head(self) -> tuple[bytes, int, dict[str, str]]:
        first, *lines = _END_OF_LINE.split(_LINE_FOLDING.sub(b" ", self._read_until(_END_OF_HEAD)))
        found = _STATUS_LINE.fullmatch(first)
        if not found:
            raise Malformed
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not _HEADER_NAME.fullmatch(name):
                raise Malformed
            headers[name.decode().lower()] = value.strip(b" \t").decode("latin-1")
        return found[1], int(found[2]), headers

    def _read_body(self, method: str, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """Return the body, and whether its framing marks its end (RFC 9112, section 6.3)."""
        if method == "HEAD" or status in (204, 304):
            return b"", True
        if "transfer-encoding" in headers:
            if headers["transfer-encoding"].lower() != "chunked":
                return self._read_to_end(), False
            return self._read_chunks(), "content-length" not in headers
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal()):
            return self._read_to_end(), False
        return self._read_exactly(int(length.lstrip("0")[:10] or 0)), True

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            found = _CHUNK_SIZE.fullmatch(self._read_until(_END_OF_LINE))
            if not found:
                raise Malformed
            size = int(found[1], 16)
            if not size:
                break
            if len(body) + size > self._limit:
                raise TooLong
            body += self._read_exactly(size)
            if self._read_until(_END_OF_LINE):
                raise Malformed
        while self._read_until(_END_OF_LINE):  # trailers
            pass
        return bytes(body)

    def _read_until(self, delimiter: re.Pattern[bytes]) -> bytes:
        """Return the bytes before `delimiter`, and drop the delimiter."""
        searched = 0
        while not (found := delimiter.search(self._received, searched)):
            searched = max(0, len(self._received) - _LONGEST_DELIMITER)
            if not self._receive():
                raise Truncated
        taken = bytes(self._received[: found.start()])
        del self._received[: found.end()]
        return taken

    def _read_exactly(self, size: int) -> bytes:
        if size > self._limit:
            raise TooLong
        while len(self._received) < size:
            if not self._receive():
                raise Truncated
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _read_to_end(self) -> bytes:
        """Return all bytes until the peer closes the connection."""
        while len(self._received) <= self._limit:
            if not self._receive():
                return bytes(self._received)
        raise TooLong

    def _receive(self) -> bool:
        """Wait for more bytes. Return False if the peer has closed the connection."""
        self._sock.settimeout(self._deadline.left())
        received = self._sock.recv(_RECEIVE_SIZE)
        self._received += received
        self.received_any = self.received_any or bool(received)
        self._budget -= len(received)
        if self._budget < 0:
            raise TooLong
        return bool(received)

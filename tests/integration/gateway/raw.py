"""HTTP over a socket: sends requests that no client library would send, and returns every byte of the response."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from io import BufferedReader
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _KeptReader(BufferedReader):
    """A reader that the end of one `HTTPResponse` does not close."""

    def close(self) -> None:
        pass


class Connection:
    """A socket with one read buffer for its whole life.

    `HTTPResponse` reads ahead: with one buffer per response, the first would take bytes of the second.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = _KeptReader(sock.makefile("rb", buffering=0))

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(data)

    def shutdown(self, how: int) -> None:
        self._socket.shutdown(how)

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes, those that were read ahead first; none at the end."""
        return self._reader.read1(size)

    def makefile(self, _mode: str) -> BufferedReader:
        """Return the buffer, as `HTTPResponse` asks a socket for it."""
        return self._reader

    def close(self) -> None:
        self._reader.raw.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
        connection = Connection(sock)
        try:
            yield connection
        finally:
            connection.close()


def read(connection: Connection, method: str = "GET") -> Answer:
    """Read the next response on the connection. `method` decides whether it has a body."""
    response = HTTPResponse(connection, method=method)  # type: ignore[arg-type]  # it calls only makefile
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        response.close()


def exchange(url: str, data: bytes, method: str = "GET") -> Answer:
    """Send bytes on a new connection and read one response."""
    with connected(url) as connection:
        connection.sendall(data)
        return read(connection, method)

"""HTTP over a bare socket: what no client library would send can be sent, and every byte of the answer is seen."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        yield connection


def read(connection: socket.socket, method: str = "GET") -> Answer:
    """The next answer on the connection; `method` decides whether it has a body."""
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        response.close()


def exchange(url: str, data: bytes, method: str = "GET") -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    with connected(url) as connection:
        connection.sendall(data)
        return read(connection, method)

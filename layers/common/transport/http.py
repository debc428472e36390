"""One HTTP/1.1 request over one connection, bounded in time and size.

    TransportError
    ├── NotConnected   the connection was never made: certainly nothing was sent
    └── Broken         something was sent, and no whole answer came back

`http.client` parses the answer; it reads through `_Reader`, which checks the deadline and the byte budget before
every read from the socket. So a server that sends a byte a second, endless headers, or a body of gigabytes is
left at the deadline or at the limit, whichever comes first.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead, LineTooLong
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transport.deadline import Deadline

BODY_LIMIT = 64 * 1024
_HEAD_LIMIT = 32 * 1024


class TransportError(Exception):
    """No answer. ``reason`` is one word for logs and metrics: refused, timeout, tls, reset, too-long, malformed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotConnected(TransportError):
    """The connection was never made: certainly nothing was sent."""


class Broken(TransportError):
    """Something was sent, and no whole answer came back: it may have been acted upon.

    ``heard`` tells whether any byte of an answer came: a server that answers half is there, one that is silent may not be.
    """

    def __init__(self, reason: str, *, heard: bool) -> None:
        super().__init__(reason)
        self.heard = heard


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer: ``headers`` with names in lower case, ``body`` of at most the limit asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _TooLong(Exception):
    pass


class _Reader(io.RawIOBase):
    """The socket as `http.client` reads it: no read waits past the deadline or goes beyond the budget."""

    def __init__(self, sock: socket.socket, deadline: Deadline, budget: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._budget = budget
        self.heard = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        _wait_at_most(self._sock, self._deadline)
        count = self._sock.recv_into(buffer)
        self.heard = self.heard or count > 0
        self._budget -= count
        if self._budget < 0:
            raise _TooLong
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `HTTPResponse` asks of a socket."""
        return io.BufferedReader(self)


class Connection:
    """One open connection, for one request at a time. Not safe to share between threads."""

    __slots__ = ("_host", "_sock")

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._sock = sock
        self._host = host

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        limit: int = BODY_LIMIT,
    ) -> Response:
        """Send one request and read its answer; redirects are answers like any other.

        Parameters
        ----------
        path
            Path and query, already percent-encoded.
        limit
            The longest body taken, in bytes.

        Raises
        ------
        NotConnected
            The deadline had passed before a byte was sent.
        Broken
            Anything but a whole, well-formed answer in time. The connection is closed then.
        """
        message = _head(method, path, self._host, headers, len(body)) + body
        if deadline.remaining() <= 0:
            self.close()
            raise NotConnected("timeout")
        reader = _Reader(self._sock, deadline, limit + _HEAD_LIMIT)
        response = HTTPResponse(cast("socket.socket", reader), method=method)
        try:
            _wait_at_most(self._sock, deadline)
            self._sock.sendall(message)
            response.begin()
            content = response.read(limit + 1)
            if len(content) > limit:
                raise _TooLong
            if response.length:  # the peer closed before the length that it had announced
                raise Broken("reset", heard=True)
        except (OSError, HTTPException, _TooLong, ValueError) as error:
            self.close()
            raise Broken(_reason(error), heard=reader.heard) from error
        except Broken:
            self.close()
            raise
        finally:
            response.close()  # left to the garbage collector it complains of a file closed before it
        if response.will_close:
            self.close()
        return Response(
            response.status, {name.lower(): value for name, value in response.getheaders()}, content
        )

    def is_idle(self) -> bool:
        """Whether a kept connection may be used again: open, and with nothing (not even its end) waiting to be read."""
        if self._sock.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._sock.close()


def connect(
    address: str, port: int, host: str, deadline: Deadline, tls: ssl.SSLContext | None = None
) -> Connection:
    """Open a connection to `address`, an IP literal or a host name, in time.

    Parameters
    ----------
    host
        The name for Host, SNI and the certificate: what the peer is called, wherever it is dialled.

    Raises
    ------
    NotConnected
        Refused, unreachable, timed out, or a certificate that does not hold. Nothing was sent.
    """
    try:
        sock = socket.create_connection((address, port), timeout=_left(deadline))
    except OSError as error:
        raise NotConnected(_reason(error)) from error
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            _wait_at_most(sock, deadline)
            sock = tls.wrap_socket(sock, server_hostname=host)
    except OSError as error:
        sock.close()
        raise NotConnected("timeout" if isinstance(error, TimeoutError) else "tls") from error
    default_port = 443 if tls else 80
    bracketed = f"[{host}]" if ":" in host else host
    return Connection(sock, bracketed if port == default_port else f"{bracketed}:{port}")


def _head(method: str, path: str, host: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {length}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _left(deadline: Deadline) -> float:
    left = deadline.remaining()
    if left <= 0:
        raise TimeoutError
    return left


def _wait_at_most(sock: socket.socket, deadline: Deadline) -> None:
    sock.settimeout(_left(deadline))


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, _TooLong | LineTooLong):
        return "too-long"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError | IncompleteRead):
        return "reset"
    return "unreachable" if isinstance(error, OSError) else "malformed"

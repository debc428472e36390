"""One HTTP/1.1 request over one connection, with limits on time and size.

    TransportError
    ├── NotConnected        no connection was made: nothing was sent
    └── IncompleteResponse  the request, or a part of it, was sent, and no complete response was received

`answer.ResponseParser` checks the deadline and the number of bytes at every read from the socket. A server that sends
one byte a second, endless headers, or a body of gigabytes is disconnected at the deadline or at the limit.
"""

from __future__ import annotations

import select
import socket
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from common.transport.resolver import addresses_of
from common.transport.response_parser import Malformed, ResponseParser, TooLong, Truncated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.transport.deadline import Deadline

BODY_LIMIT = 64 * 1024


class TransportError(Exception):
    """No response. ``reason`` is a word for logs and metrics.

    It is one of: refused, unreachable, timeout, tls, reset, too-long, malformed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotConnected(TransportError):
    """No connection was made, or no time was left to send the request: nothing was sent."""


class IncompleteResponse(TransportError):
    """The request was sent, at least in part, and no complete response was received: the server may have executed it.

    ``received_any`` is whether any byte of a response was received. If so, the server is running; if not, it may not be.
    """

    def __init__(self, reason: str, *, received_any: bool) -> None:
        super().__init__(reason)
        self.received_any = received_any


class Response(NamedTuple):
    """A complete response. Names in ``headers`` are in lower case; ``body`` is no longer than the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One open connection, for one request at a time. Not thread-safe."""

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
        """Send one request and read its response. Redirects are not followed.

        Parameters
        ----------
        path
            Path and query, already percent-encoded.
        limit
            The maximum length of the response's body, in bytes.

        Raises
        ------
        NotConnected
            The deadline had passed before a byte was sent.
        IncompleteResponse
            No complete and well-formed response was received in time. The connection is closed.
        """
        message = _head(method, path, self._host, headers, len(body)) + body
        if deadline.remaining() <= 0:
            self.close()
            raise NotConnected("timeout")
        parser = ResponseParser(self._sock, deadline, limit)
        try:
            self._sock.settimeout(deadline.left())
            self._sock.sendall(message)
            status, response_headers, response_body = parser.read(method)
        except (OSError, Malformed, TooLong, Truncated) as error:
            self.close()
            raise IncompleteResponse(_reason(error), received_any=parser.received_any) from error
        if not parser.reusable:
            self.close()
        return Response(status, response_headers, response_body)

    def is_idle(self) -> bool:
        """Return whether the connection can be used again: it is open, and there is neither data nor an end to read."""
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
        sock = _dial(address, port, deadline)
    except OSError as error:
        raise NotConnected(_reason(error)) from error
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            sock.settimeout(deadline.left())
            sock = tls.wrap_socket(sock, server_hostname=host)
    except OSError as error:
        sock.close()
        raise NotConnected("timeout" if isinstance(error, TimeoutError) else "tls") from error
    default_port = 443 if tls else 80
    bracketed = f"[{host}]" if ":" in host else host
    return Connection(sock, bracketed if port == default_port else f"{bracketed}:{port}")


def _dial(address: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address that accepts; each but the last may take half of the time that is left."""
    addresses = addresses_of(address, port, deadline)
    for following, (family, target) in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
        left = deadline.left()
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(left / 2 if following else left)
            sock.connect(target)
        except OSError:
            sock.close()
            if not following:
                raise
        else:
            return sock
    raise OSError("no addresses")


@lru_cache(maxsize=16)
def load_tls_context(authorities: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the `authorities`, in PEM; with None, those that this machine trusts.

    Cached, because reading the authorities of the machine, over a hundred, takes 20 ms of CPU.
    """
    return ssl.create_default_context(cadata=authorities)


def _head(method: str, path: str, host: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {length}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header contains a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, TooLong):
        return "too-long"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError | Truncated):
        return "reset"
    return "unreachable" if isinstance(error, OSError) else "malformed"

"""One HTTP/1.1 request over one connection, bounded in time and size.

    TransportError
    ├── NotConnected   the connection was never made: certainly nothing was sent
    └── Broken         something was sent, and no whole answer came back

`answer.Incoming` checks the deadline and the number of bytes before every read from the socket. So a server that
sends a byte a second, endless headers, or a body of gigabytes is left at the deadline or at the limit, whichever comes
first.
"""

from __future__ import annotations

import select
import socket
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from transport.answer import CutOff, Incoming, Malformed, TooLong
from transport.resolver import addresses_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transport.deadline import Deadline

BODY_LIMIT = 64 * 1024


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


class Response(NamedTuple):
    """A whole answer: ``headers`` with names in lower case, ``body`` of at most the limit asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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
        incoming = Incoming(self._sock, deadline, limit)
        try:
            self._sock.settimeout(deadline.left())
            self._sock.sendall(message)
            status, answered, content = incoming.answer(method)
        except (OSError, Malformed, TooLong, CutOff) as error:
            self.close()
            raise Broken(_reason(error), heard=incoming.heard) from error
        if not incoming.reusable:
            self.close()
        return Response(status, answered, content)

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
def trust(authorities: str | None) -> ssl.SSLContext:
    """What TLS accepts: a certificate of one of the `authorities`, in PEM; with None, of one that this machine trusts.

    Made once and shared: to read the hundred and more that a machine trusts takes 20 ms of CPU.
    """
    return ssl.create_default_context(cadata=authorities)


def _head(method: str, path: str, host: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {length}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, TooLong):
        return "too-long"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError | CutOff):
        return "reset"
    return "unreachable" if isinstance(error, OSError) else "malformed"

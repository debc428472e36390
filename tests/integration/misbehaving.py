"""An OCPP server on raw sockets that handles each connection as a script defines, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import responses as phrases
from typing import Any

TIMEOUT = 20.0  # seconds


class Gone(Exception):
    """The peer has closed the connection, or the server is closing."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as received, with header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Peer:
    """One connection, as a script handles it. It is closed when the script returns."""

    def __init__(self, sock: socket.socket, server: Misbehaving) -> None:
        self.socket = sock
        self._server = server

    def read(self) -> ReceivedRequest:
        """Read and return the next complete request. The server appends it to `requests`."""
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            buffer += self._receive()
        head, _, body = buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._receive()
        method, path, _ = line.split(" ")
        request = ReceivedRequest(method, path, headers, body)
        self._server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def drip(self, data: bytes, every: float) -> None:
        """Send one byte at a time, and wait `every` seconds after each."""
        for byte in data:
            self.send(bytes([byte]))
            self._server.wait(every)

    def hang(self) -> None:
        """Send nothing until the peer closes the connection."""
        while self._receive():
            pass

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return data


Script = Callable[[Peer], None]


class Misbehaving:
    """A server that listens on 127.0.0.1 from the start, on `port` or any free one.

    `set_scripts` sets its scripts; with `tls` it uses TLS. `close` closes every accepted connection. Without `accepting`, connections
    wait in a queue of one until `accept`.
    """

    def __init__(
        self, *scripts: Script, host: str = "127.0.0.1", port: int = 0, accepting: bool = True
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.tls: ssl.SSLContext | None = None
        self._scripts: list[Script] = list(scripts)
        self._open: set[socket.socket] = set()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._serving: list[threading.Thread] = []
        self._accepted: set[object] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=64 if accepting else 0)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        if accepting:
            self.accept()

    def accept(self) -> None:
        """Accept connections from now on."""
        self._run(self._accept)

    def set_scripts(self, *scripts: Script) -> None:
        """Set the scripts of the next connections, in order. The last script also handles every later connection."""
        self._scripts = list(scripts)

    @property
    def starts(self) -> list[ReceivedRequest]:
        """Return the received requests for a start."""
        return [request for request in self.requests if request.method == "PUT"]

    def catch_up(self) -> None:
        """Wait until the server has read everything from connections that are closed by now, however slow the machine is."""
        with socket.socket(self._listener.family) as last:
            last.bind((self.host, 0))
            own = last.getsockname()
            last.settimeout(TIMEOUT)
            with contextlib.suppress(ConnectionResetError):  # a script has already reset it
                last.connect((self.host, self.port))
        until = time.monotonic() + TIMEOUT
        while own not in self._accepted or any(thread.is_alive() for thread in self._serving):
            assert time.monotonic() < until, "a connection is still open"
            time.sleep(0.005)

    def wait(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise Gone

    def leave(self) -> None:
        """Refuse connections from now on."""
        # close() does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self._closing.set()
        self.leave()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: Callable[..., None], *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                sock, peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            self._open.add(sock)
            self._serving.append(self._run(self._serve, sock, script))
            self._accepted.add(peer)

    def _serve(self, sock: socket.socket, script: Script) -> None:
        try:
            if self.tls:
                self._open.discard(sock)
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._open.add(sock)
            script(Peer(sock, self))
        except (Gone, OSError):
            pass
        finally:
            self._open.discard(sock)
            sock.close()


def response(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """Return a response. Its Content-Length is that of the body, or `length`."""
    declared = len(body) if length is None else length
    head = [f"HTTP/1.1 {status} {phrases.get(status, '')}", f"Content-Length: {declared}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def status_body(charger: str = "CP-1", status: str = "Accepted", **changes: Any) -> bytes:
    """Return the body of a native server's 200 response."""
    body = {"chargerId": charger, "connectorId": 1, "errorCode": "NoError", "status": status, "info": None}
    return json.dumps({**body, **changes}).encode()


def connection_body(id_: str, charger: str = "CP-1") -> bytes:
    """Return the body with which a native server describes a start whose charge runs."""
    charge = {"id": "7", "connectorId": 1, "startedAt": "2026-01-01T00:00:00.000Z", "stoppedAt": None}
    body = {"id": id_, "chargerId": charger, "state": "started", "cancelled": False, "result": None}
    return json.dumps({**body, "transactions": [charge]}).encode()


def sends(data: bytes) -> Script:
    """Return a script: read a request, send these bytes, close."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(data)

    return script


def responds_with(
    status: int = 200, body: bytes = status_body(), kind: str = "application/json", *headers: str
) -> Script:
    """Return a script: read a request and send this response."""
    return sends(response(status, body, f"Content-Type: {kind}", *headers))


def sends_problem(status: int, *headers: str, kind: str = "x") -> Script:
    """Return a script: read a request and send a problem document whose type ends with `kind`."""
    body = json.dumps({"type": f"/problems/{kind}", "title": "x", "status": status, "detail": "x"}).encode()
    return responds_with(status, body, "application/problem+json", *headers)


def hangs(peer: Peer) -> None:
    """Read a request, and never respond."""
    peer.read()
    peer.hang()


def drips(data: bytes, every: float = 0.05) -> Script:
    """Return a script: read a request, and send these bytes one at a time, `every` so many seconds."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.drip(data, every)

    return script

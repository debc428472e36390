"""A small HTTP/1.1 server for the local stack: the standard library's parser, and the framing that it lacks.

`http.server` parses the request line and the headers. This module adds chunked bodies, a limit for the body,
`Expect: 100-continue` at the right time, keep-alive that is safe with pipelining, and responses that are dropped on purpose.
Each connection has its own thread.
"""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses as PHRASES  # noqa: N812
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from json import dumps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HEAD_LIMIT = 10_240
"""Bytes of request line and headers together; an HTTP API's quota."""
BODY_LIMIT = 10_000_000
"""Bytes of a request body; an HTTP API's quota of 10 MB."""
IDLE_SECONDS = 60
"""Seconds without data after which a connection is closed."""

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:|[ \t])[^\r\n\0]*\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as received: nothing is decoded, and no header is renamed or joined."""

    method: str
    target: str
    protocol: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    """IP address of the client."""
    received: float
    """Seconds since the epoch at which the request line was read."""


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is bytes, or an iterable of bytes whose pieces are sent as they arrive (server-sent events)."""

    status: int
    headers: Sequence[tuple[str, str]] = field(default=())
    body: bytes | Iterable[bytes] = b""


class Dropped(Exception):
    """Raised by a responder to close the connection without a response."""


class RequestError(Exception):
    """A request that cannot be parsed. The client receives `status`, then the connection is closed."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def message(status: HTTPStatus) -> Response:
    """Return an error of the gateway itself: `{"message": "Not Found"}`. An HTTP API cannot change this format."""
    phrase = "Request Entity Too Large" if status == 413 else status.phrase
    return Response(status, [("Content-Type", "application/json")], dumps({"message": phrase}).encode())


class Server:
    """A running server. `close` ends it and every open connection, without waiting for pending responses."""

    def __init__(
        self, respond: Callable[[Request], Response], port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        """Start to serve on `host` and `port` (0: any free one). Raises OSError if the port is in use."""
        self._http = _HttpServer((host, port), respond)
        self.port: int = self._http.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.disconnect_all()


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address: tuple[str, int], respond: Callable[[Request], Response]) -> None:
        self.respond = respond
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        # HTTPServer would resolve its own name, which takes seconds on a machine without a resolver.
        socketserver.TCPServer.server_bind(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[request]

    def disconnect_all(self) -> None:
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + 1
        for thread in connections.values():
            thread.join(max(0.0, until - time.monotonic()))


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: _HttpServer

    def handle_one_request(self) -> None:
        try:
            self._handle_one()
        except (ConnectionError, TimeoutError, Dropped):
            self.close_connection = True
        except RequestError as error:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self._send(message(error.status))
                self._drain()

    def _handle_one(self) -> None:
        self.command = ""
        self.raw_requestline = self.rfile.readline(HEAD_LIMIT + 1)
        if self.raw_requestline == b"\r\n":  # some clients send one after a body (RFC 9112, 2.2)
            self.raw_requestline = self.rfile.readline(HEAD_LIMIT + 1)
        received = time.time()
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > HEAD_LIMIT:
            raise RequestError(HTTPStatus.REQUEST_URI_TOO_LONG)
        stream, self.rfile = self.rfile, self._head()
        try:
            if not self.parse_request():
                return
        finally:
            self.rfile = stream
        headers = self._headers()
        request = Request(
            method=self.command,
            target=self.requestline.split()[1],
            protocol=self.request_version,
            headers=headers,
            body=self._body(headers),
            client=self.client_address[0],
            received=received,
        )
        self._send(self.server.respond(request))

    def _head(self) -> BytesIO:
        # The parser accepts an incomplete head, limits only the length of a line, and stops at a line without a colon.
        left = HEAD_LIMIT - len(self.raw_requestline)
        lines: list[bytes] = []
        while not lines or lines[-1] not in (b"\r\n", b"\n"):
            line = self.rfile.readline(HEAD_LIMIT + 1)
            if not line:
                raise Dropped
            left -= len(line)
            if left < 0:
                raise RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            lines.append(line)
        if not all(_FIELD.fullmatch(line) for line in lines[:-1]):
            raise RequestError(HTTPStatus.BAD_REQUEST)
        return BytesIO(b"".join(lines))

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, _FOLD.sub(" ", value).strip()) for name, value in self.headers.items())

    def _body(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        lengths = {value for name, value in headers if name.lower() == "content-length"}
        codings = [value.lower() for name, value in headers if name.lower() == "transfer-encoding"]
        if codings:
            if codings != ["chunked"] or lengths:
                raise RequestError(HTTPStatus.BAD_REQUEST)
            self._continue()
            return b"".join(self._chunks())
        if not lengths:
            return b""
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            raise RequestError(HTTPStatus.BAD_REQUEST)
        if len(length) > 12 or int(length) > BODY_LIMIT:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._continue()
        return self._read(int(length))

    def _chunks(self) -> Iterable[bytes]:
        total = 0
        while True:
            line = _CHUNK_SIZE.fullmatch(self.rfile.readline(HEAD_LIMIT))
            if not line:
                raise RequestError(HTTPStatus.BAD_REQUEST)
            size = int(line[1], 16)
            if not size:
                break
            total += size
            if total > BODY_LIMIT:
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            yield self._read(size)
            if self.rfile.readline(3) not in (b"\r\n", b"\n"):
                raise RequestError(HTTPStatus.BAD_REQUEST)
        for _ in range(100):
            if self.rfile.readline(HEAD_LIMIT) in (b"\r\n", b"\n"):
                return
        raise RequestError(HTTPStatus.BAD_REQUEST)

    def _read(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise Dropped
        return data

    def handle_expect_100(self) -> bool:
        # Called before the body's length is checked. `_continue` sends the 100 once the body is to be read.
        return True

    def _continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue" and self.request_version >= "HTTP/1.1":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, response: Response) -> None:
        body = response.body
        bodiless = self.command == "HEAD" or response.status in (204, 304)
        framing: list[tuple[str, str]] = []
        chunked = False
        if isinstance(body, bytes):
            if response.status not in (204, 304):
                framing.append(("Content-Length", str(len(body))))
        elif self.request_version >= "HTTP/1.1" and not bodiless:
            chunked = True
            framing.append(("Transfer-Encoding", "chunked"))
        else:
            self.close_connection = True
        if self.close_connection:
            framing.append(("Connection", "close"))
        lines = [
            f"HTTP/1.1 {response.status} {PHRASES.get(response.status, '')}",
            f"Date: {self.date_time_string()}",
        ]
        lines += [f"{name}: {value}" for name, value in (*response.headers, *framing)]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if bodiless:
            self.wfile.write(head)
        elif isinstance(body, bytes):
            self.wfile.write(head + body)
        else:
            self.wfile.write(head)
            for piece in filter(None, body):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

    def _drain(self) -> None:
        # Closing with unread bytes resets the connection, and the client would lose the response.
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(1)
        left = 4 * BODY_LIMIT
        while left > 0 and (data := self.connection.recv(65_536)):
            left -= len(data)

    def send_error(self, code: int, *_texts: str | None, **_more: str | None) -> None:
        raise RequestError(HTTPStatus(code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Do nothing: only the functions log."""

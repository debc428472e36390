"""The stack that receives hostile requests: gateway, real handlers and table, and an OCPP server that responds at once."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local import template
from local.gateway import serve
from local.server import Request, Response, Server
from local.table import start_table
from tests.integration.gateway.functions import real_functions
from tests.integration.gateway.raw import Connection, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

TIMEOUT = 120
"""Seconds to wait for a response. No test depends on the value."""

_API_REQUEST = re.compile(
    r"(PUT|GET) /api/v1/chargers/([^/?#\s]+)(/connections/[0-9a-f-]{36})?(\?connectorId=\d+)?"
)


@dataclass(frozen=True, slots=True)
class ReceivedResponse:
    """A response. `status` is 0 if the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes


class Target:
    """The OCPP server. `unexpected` lists the requests that are not of its API: no request of a caller may cause one."""

    def __init__(self) -> None:
        self.unexpected: list[str] = []
        self.request_count = 0
        self._server = Server(self._respond)
        self.port, self.close = self._server.port, self._server.close

    def _respond(self, request: Request) -> Response:
        self.request_count += 1
        found = _API_REQUEST.fullmatch(f"{request.method} {request.target}")
        names = {name.lower() for name, _ in request.headers}
        if found is None or (found[1] == "PUT") != bool(found[3]) or "x-injected" in names:
            self.unexpected.append(f"{request.method} {request.target} {sorted(names)}")
            return Response(500)
        status = "Accepted" if found[3] else "Available"
        answer = {
            "chargerId": unquote(found[2]),
            "connectorId": 1,
            "errorCode": "NoError",
            "status": status,
            "info": None,
        }
        return Response(200, [("Content-Type", "application/json")], json.dumps(answer).encode())


@dataclass(frozen=True, slots=True)
class Stack:
    port: int
    target: Target
    table: TableServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, data: bytes, method: str = "POST") -> ReceivedResponse:
        """Send bytes on a new connection, and read one response."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the gateway responded before it had read everything
            except OSError:
                return ReceivedResponse(0, {}, b"")
            try:
                with closing(Connection(connection)) as reader:
                    answer = read(reader, method)
                return ReceivedResponse(answer.status, answer.headers, answer.body)
            except (HTTPException, ConnectionError):
                return ReceivedResponse(0, {}, b"")


@contextmanager
def running_stack() -> Iterator[Stack]:
    with ExitStack() as parts:
        target = Target()
        parts.callback(target.close)
        table = parts.enter_context(closing(start_table()))
        link_servers = [{"network": "127.0.0.0/8", "ports": [target.port], "scheme": "http"}]
        settings = {"DEFAULT_LINK_SERVER": f"127.0.0.1:{target.port}"}
        invoke = parts.enter_context(real_functions(table, link_servers, settings=settings))
        gateway = parts.enter_context(closing(serve(template.read().routes, invoke)))
        yield Stack(gateway.port, target, table)

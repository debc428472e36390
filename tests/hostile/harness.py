"""What hostile requests meet: the gateway, the real handlers and table, and an OCPP server that answers at once."""

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

HANGS = 120
"""Seconds after which an answer will not come any more; nothing is measured by it."""

_ASKED = re.compile(
    r"(PUT|GET) /api/v1/chargers/([^/?#\s]+)(/connections/[0-9a-f-]{36})?(\?connectorId=\d+)?"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """`status` 0 is a connection that was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Target:
    """The OCPP server. `strays` are the requests that are not of its API: there must be none, whatever a caller sends."""

    def __init__(self) -> None:
        self.strays: list[str] = []
        self.asked = 0
        self._server = Server(self._respond)
        self.port, self.close = self._server.port, self._server.close

    def _respond(self, request: Request) -> Response:
        self.asked += 1
        found = _ASKED.fullmatch(f"{request.method} {request.target}")
        names = {name.lower() for name, _ in request.headers}
        if found is None or (found[1] == "PUT") != bool(found[3]) or "x-injected" in names:
            self.strays.append(f"{request.method} {request.target} {sorted(names)}")
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
class Stage:
    port: int
    target: Target
    table: TableServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, data: bytes, method: str = "POST") -> Heard:
        """Send bytes on a connection of their own and read one answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=HANGS) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has answered before all was sent
            except OSError:
                return Heard(0, {}, b"")
            try:
                with closing(Connection(connection)) as reader:
                    answer = read(reader, method)
                return Heard(answer.status, answer.headers, answer.body)
            except (HTTPException, ConnectionError):
                return Heard(0, {}, b"")


@contextmanager
def staged() -> Iterator[Stage]:
    with ExitStack() as parts:
        target = Target()
        parts.callback(target.close)
        table = parts.enter_context(closing(start_table()))
        link_servers = [{"network": "127.0.0.0/8", "ports": [target.port], "scheme": "http"}]
        settings = {"DEFAULT_LINK_SERVER": f"127.0.0.1:{target.port}"}
        invoke = parts.enter_context(real_functions(table, link_servers, settings=settings))
        gateway = parts.enter_context(closing(serve(template.read().routes, invoke)))
        yield Stage(gateway.port, target, table)

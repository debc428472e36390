"""The OCPP server: native REST on one port, OCPP-J over WebSocket on another, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from local.csms.chargers import Chargers
from local.csms.connections import Connections
from local.csms.native import Native
from local.csms.store import Store
from local.ocppj import SUBPROTOCOLS
from local.server import Dropped, Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request as Handshake
    from websockets.http11 import Response as Refusal


@dataclass(frozen=True, slots=True)
class Options:
    """A port of 0 takes any free one. `ping_window` is the seconds after which a charger that sent no pong counts as gone,
    `call_timeout` those after which a silent one may be asked the next thing."""

    host: str = "127.0.0.1"
    rest_port: int = 0
    ocpp_port: int = 0
    database: str = ":memory:"
    known: tuple[str, ...] = ()
    authorization: str | None = None
    ping_window: float = 20.0
    call_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Csms:
    """A running server: where its two faces are, and the chargers it knows (its event loop's own)."""

    rest_url: str
    rest_port: int
    ocpp_url: str
    """Base of a charger's URL; its percent-encoded identity follows after a slash."""
    ocpp_port: int
    chargers: Chargers


class PortTaken(Exception):
    """Another program listens there; the argument names the port and what it was wanted for."""


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Csms]:
    """Runs the server in this event loop. PortTaken, sqlite3.Error."""
    async with contextlib.AsyncExitStack() as stack:
        store = Store(options.database)
        stack.callback(store.close)
        known = (*options.known, *store.known())
        chargers = Chargers(known, options.call_timeout)
        connections = Connections(store, chargers)

        async def hold(websocket: ServerConnection) -> None:
            assert websocket.request is not None
            identity = _identity(websocket.request.path)
            store.know(identity)
            await chargers.serve(websocket, identity, connections.started)

        with _port("OCPP", options.ocpp_port):
            ocpp = await stack.enter_async_context(
                serve(
                    hold,
                    options.host,
                    options.ocpp_port,
                    process_request=_check_path,
                    subprotocols=[Subprotocol(name) for name in SUBPROTOCOLS],
                    ping_interval=options.ping_window / 2,
                    ping_timeout=options.ping_window / 2,
                    close_timeout=1,
                )
            )
        stack.push_async_callback(connections.close)
        native = Native(connections, options.authorization)
        with _port("REST", options.rest_port):
            rest = await stack.enter_async_context(_serve_http(native, options))
        ocpp_port = next(iter(ocpp.sockets)).getsockname()[1]
        yield Csms(rest.url, rest.port, f"ws://{options.host}:{ocpp_port}/ocpp", ocpp_port, chargers)


@asynccontextmanager
async def _serve_http(native: Native, options: Options) -> AsyncIterator[Server]:
    """HTTP comes in on threads; every answer is made in this event loop."""
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[Response]] = set()

    async def respond(request: Request) -> Response:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        try:
            return await native.respond(request)
        finally:
            under_way.discard(task)

    def bridge(request: Request) -> Response:
        try:
            return asyncio.run_coroutine_threadsafe(respond(request), loop).result()
        except CancelledError:
            raise Dropped from None

    server = Server(bridge, options.rest_port, options.host)
    try:
        yield server
    finally:
        for task in list(under_way):
            task.cancel()
        await asyncio.to_thread(server.close)


@contextmanager
def _port(purpose: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortTaken(f"port {port}, wanted for {purpose}, cannot be used: {error.strerror}") from error


def _identity(path: str) -> str:
    """The charger's identity in `/ocpp/{identity}`; empty where there is none."""
    segments = urlsplit(path).path.split("/")
    if len(segments) != 3 or segments[:2] != ["", "ocpp"]:
        return ""
    identity = unquote(segments[2])
    return identity if identity.isprintable() and len(identity) <= 255 else ""


def _check_path(connection: ServerConnection, request: Handshake) -> Refusal | None:
    if _identity(request.path):
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, "A charger connects to /ocpp/{identity}.\n")

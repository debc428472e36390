"""The two listeners of an OCPP server, in one event loop: HTTP for its clients, OCPP-J over WebSocket for its chargers."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from local.ocppj import SUBPROTOCOLS
from local.same_origin import guarded, refusal
from local.server import Dropped, Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request as Handshake
    from websockets.http11 import Response as Refusal


class PortTaken(Exception):
    """Another program listens on the port. The text names the port and its purpose."""


@asynccontextmanager
async def serving_http(
    respond: Callable[[Request], Awaitable[Response]],
    host: str,
    port: int,
    extra_hosts: Sequence[str] = (),
    allowed_hosts: Collection[str] = (),
) -> AsyncIterator[Server]:
    """Listen for HTTP on threads, also on `extra_hosts` with the same port, and respond in this event loop. Raises PortTaken.

    `same_origin.refusal` checks each request. It allows loopback, `host`, `extra_hosts` and `allowed_hosts` in the Host header.
    """
    loop = asyncio.get_running_loop()
    pending: set[asyncio.Task[Response]] = set()

    async def tracked(request: Request) -> Response:
        task = asyncio.current_task()
        assert task is not None
        pending.add(task)
        try:
            return await respond(request)
        finally:
            pending.discard(task)

    def bridge(request: Request) -> Response:
        try:
            return asyncio.run_coroutine_threadsafe(tracked(request), loop).result()
        except CancelledError:
            raise Dropped from None

    served = guarded(bridge, (host, *extra_hosts, *allowed_hosts))
    with ExitStack() as stack:
        with _port("REST", port):
            server = stack.enter_context(closing(Server(served, port, host)))
            for extra in extra_hosts:
                stack.enter_context(closing(Server(served, server.port, extra)))
        servers = stack.pop_all()
    try:
        yield server
    finally:
        for task in list(pending):
            task.cancel()
        await asyncio.to_thread(servers.close)


@asynccontextmanager
async def serving_ocpp(
    serve_charger: Callable[[ServerConnection, str], Awaitable[None]],
    host: str,
    port: int,
    ping_window: float,
    subprotocols: Sequence[str] = SUBPROTOCOLS,
    extra_hosts: Sequence[str] = (),
    allowed_hosts: Collection[str] = (),
) -> AsyncIterator[int]:
    """Listen for chargers at ``/ocpp/{identity}``, yield the port, and run `serve_charger(websocket, identity)` for each.

    `same_origin.refusal` checks each handshake, as in `serving_http`. Raises PortTaken.
    """

    def check(connection: ServerConnection, request: Handshake) -> Refusal | None:
        refused = refusal(request.headers.raw_items(), (host, *extra_hosts, *allowed_hosts), websocket=True)
        if refused:
            return connection.respond(refused.status, f"{refused.text}\n")
        return _check_path(connection, request)

    async def identified(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        await serve_charger(websocket, _identity(websocket.request.path))

    async with AsyncExitStack() as stack:
        for each in (host, *extra_hosts):
            with _port("OCPP", port):
                server = await serve(
                    identified,
                    each,
                    port,
                    process_request=check,
                    subprotocols=[Subprotocol(name) for name in subprotocols],
                    ping_interval=ping_window / 2,
                    ping_timeout=ping_window / 2,
                    close_timeout=1,
                )
            await stack.enter_async_context(server)
            port = next(iter(server.sockets)).getsockname()[1]
        yield port


@contextmanager
def _port(purpose: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortTaken(f"port {port}, for {purpose}, cannot be used: {error.strerror}") from error


def _identity(path: str) -> str:
    """Return the charger's identity in `/ocpp/{identity}`, else an empty string."""
    segments = urlsplit(path).path.split("/")
    if len(segments) != 3 or segments[:2] != ["", "ocpp"]:
        return ""
    identity = unquote(segments[2])
    return identity if identity.isprintable() and len(identity) <= 255 else ""


def _check_path(connection: ServerConnection, request: Handshake) -> Refusal | None:
    if _identity(request.path):
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, "A charger connects to /ocpp/{identity}.\n")

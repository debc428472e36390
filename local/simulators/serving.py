"""Serve a simulator, and what the simulators have in common."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local.csms.chargers import Chargers
from local.listeners import serving_http, serving_ocpp
from local.ocppj import Disconnected
from local.server import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from websockets.asyncio.server import ServerConnection

    from local.csms.chargers import Session
    from local.csms.recorder import Recorder
    from local.csms.version import Call
    from local.ocppj import Payload

CONNECTED_PATH = "/simulator/connected"
"""The identities of the connected chargers. No real server has this path; `make run` polls it during the start."""
_HOST = "127.0.0.1"
_PING_WINDOW = 20.0
CALL_TIMEOUT = 30.0
"""Seconds after which the next call may be sent to a charger that has not answered."""


class Model(Protocol):
    """The REST API of a server, its chargers, and what it records of their transactions.

    `subprotocols` are the WebSocket subprotocols that it accepts.
    """

    subprotocols: Sequence[str]
    chargers: Chargers

    @property
    def recorder(self) -> Recorder: ...

    async def respond(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator; charge points connect to `ocpp_url`."""

    port: int
    url: str
    ocpp_url: str


@asynccontextmanager
async def serving_simulator(
    model: Model,
    port: int = 0,
    ocpp_port: int = 0,
    extra_hosts: Sequence[str] = (),
    allowed_hosts: Collection[str] = (),
) -> AsyncIterator[Simulator]:
    """Serve `model`, REST and OCPP, on these ports (0: any free one), also on `extra_hosts`. Raises PortTaken."""

    async def serve_charger(websocket: ServerConnection, identity: str) -> None:
        await model.chargers.serve(websocket, identity, model.recorder)

    async def respond(request: Request) -> Response:
        if request.target == CONNECTED_PATH:
            return json_response(200, connected_identities(model.chargers))
        return await model.respond(request)

    async with AsyncExitStack() as stack:
        used_port = await stack.enter_async_context(
            serving_ocpp(
                serve_charger, _HOST, ocpp_port, _PING_WINDOW, model.subprotocols, extra_hosts, allowed_hosts
            )
        )
        rest = await stack.enter_async_context(serving_http(respond, _HOST, port, extra_hosts, allowed_hosts))
        yield Simulator(rest.port, rest.url, f"ws://{_HOST}:{used_port}/ocpp")


def new_chargers() -> Chargers:
    """Return an empty set of chargers: these servers know a charger once it has connected."""
    return Chargers((), CALL_TIMEOUT)


def connected_identities(chargers: Chargers) -> list[str]:
    """Return the identities of the connected chargers."""
    return [identity for identity, charger in chargers.by_identity.items() if charger.connected]


def session_of(chargers: Chargers, identity: str) -> Session | None:
    """Return the WebSocket of a charger that is known and connected, else None."""
    charger = chargers.by_identity.get(identity)
    return charger.connected if charger else None


async def call_charger(session: Session, call: Call, timeout: float | None) -> Payload:
    """Return a charger's result of one call.

    Raises Disconnected, CallFailed, OCPPError, and TimeoutError after `timeout` seconds (None: never).
    """

    async def call_in_turn() -> Payload:
        if not await session.acquire_turn():
            raise Disconnected
        return await (await session.send_in_turn(call))

    return await asyncio.wait_for(call_in_turn(), timeout)


def json_response(status: int, body: Any = None) -> Response:
    """Return a response with a JSON body, or without a body if it is None."""
    if body is None:
        return Response(status)
    return Response(status, [("Content-Type", "application/json")], json.dumps(body).encode())


def header(request: Request, name: str) -> str:
    """Return the first header of this name (given in lower case), else an empty string."""
    return next((value for given, value in request.headers if given.lower() == name), "")


def json_body(request: Request) -> Any:
    """Return the parsed body; None if it is not JSON."""
    try:
        return json.loads(request.body)
    except ValueError:
        return None

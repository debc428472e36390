"""How stand-ins are served, and what they have in common."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local.csms.chargers import Chargers
from local.listeners import answering, holding
from local.ocppj import Disconnected
from local.server import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from websockets.asyncio.server import ServerConnection

    from local.csms.chargers import Session
    from local.csms.version import Call
    from local.ocppj import Payload

CONNECTED = "/stand-in/connected"
"""Not of any model: the connected chargers, as a list of identities. `make run` waits for them."""
_HOST = "127.0.0.1"
_PING_WINDOW = 20.0
CALL_TIMEOUT = 30.0
"""Seconds after which a silent charger may be asked the next thing."""


class Model(Protocol):
    """A server's REST API over its charge points; `subprotocols` are those of the chargers that it takes."""

    subprotocols: Sequence[str]
    chargers: Chargers

    async def respond(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in; `ocpp_url` is where its charge points connect."""

    port: int
    url: str
    ocpp_url: str


@asynccontextmanager
async def keeping(
    model: Model,
    port: int = 0,
    ocpp_port: int = 0,
    extra_hosts: Sequence[str] = (),
    allowed_hosts: Collection[str] = (),
) -> AsyncIterator[StandIn]:
    """Serves a stand-in, REST and OCPP, on these ports (0: any free one), on `extra_hosts` too. PortTaken."""

    async def hold(websocket: ServerConnection, identity: str) -> None:
        await model.chargers.serve(websocket, identity, lambda *_: None)

    async def respond(request: Request) -> Response:
        if request.target == CONNECTED:
            return answer(200, connected(model.chargers))
        return await model.respond(request)

    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(
            holding(hold, _HOST, ocpp_port, _PING_WINDOW, model.subprotocols, extra_hosts, allowed_hosts)
        )
        rest = await stack.enter_async_context(answering(respond, _HOST, port, extra_hosts, allowed_hosts))
        yield StandIn(rest.port, rest.url, f"ws://{_HOST}:{held}/ocpp")


def no_chargers() -> Chargers:
    """No charger yet: these servers know the ones that connected to them."""
    return Chargers((), CALL_TIMEOUT)


def connected(chargers: Chargers) -> list[str]:
    """Identities of the connected chargers."""
    return [identity for identity, charger in chargers.by_identity.items() if charger.connected]


def session_of(chargers: Chargers, identity: str) -> Session | None:
    """The WebSocket of a charger that is known and connected."""
    charger = chargers.by_identity.get(identity)
    return charger.connected if charger else None


async def ask(session: Session, call: Call, patience: float | None) -> Payload:
    """A charge point's answer to one call. Disconnected, CallFailed, OCPPError, and TimeoutError after `patience` seconds, of
    which None has no end."""

    async def turn() -> Payload:
        if not await session.win_turn():
            raise Disconnected
        return await (await session.ask(call))

    return await asyncio.wait_for(turn(), patience)


def answer(status: int, body: Any = None) -> Response:
    """JSON, or with None nothing at all."""
    if body is None:
        return Response(status)
    return Response(status, [("Content-Type", "application/json")], json.dumps(body).encode())


def header(request: Request, name: str) -> str:
    """The first header of this name (in lower case), or an empty text."""
    return next((value for given, value in request.headers if given.lower() == name), "")


def document(request: Request) -> Any:
    """The JSON of the body; None where it is none."""
    try:
        return json.loads(request.body)
    except ValueError:
        return None

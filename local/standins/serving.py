"""How stand-ins are served, and what they have in common."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from local.csms.chargers import Chargers
from local.faces import answering, holding
from local.server import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from websockets.asyncio.server import ServerConnection

    from local.chargers.behaviours import Behaviour

CONNECTED = "/stand-in/connected"
"""Not of any model: the connected chargers, as a list of identities. `make run` waits for them."""
_HOST = "127.0.0.1"
_PING_WINDOW = 20.0
_CALL_TIMEOUT = 30.0


class Model(Protocol):
    """A server's REST API. `subprotocols` are those of the chargers that it takes."""

    subprotocols: Sequence[str]

    async def respond(self, request: Request) -> Response: ...

    def connected(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in; `ocpp_url` is where its charge points connect, empty where it plays them."""

    port: int
    url: str
    ocpp_url: str = ""


@dataclass(slots=True)
class Played:
    """Charge points that a stand-in plays itself, and the starts that reached them: (charger, connector, token)."""

    behaviours: Sequence[Behaviour]
    starts: list[tuple[str, int | None, str]] = field(default_factory=list)

    def __getitem__(self, identity: str) -> Behaviour | None:
        """The charge point, if it is there and connected."""
        found = (one for one in self.behaviours if one.identity == identity and one.online)
        return next(found, None)

    def connected(self) -> list[str]:
        return [behaviour.identity for behaviour in self.behaviours if behaviour.online]


@asynccontextmanager
async def playing(model: Model, port: int = 0) -> AsyncIterator[StandIn]:
    """Serves a stand-in that plays its charge points. PortTaken."""
    async with answering(_respond(model), _HOST, port) as rest:
        yield StandIn(rest.port, rest.url)


@asynccontextmanager
async def keeping(
    model: Model, chargers: Chargers, port: int = 0, ocpp_port: int = 0
) -> AsyncIterator[StandIn]:
    """Serves a stand-in that keeps real charge points, all of them in `chargers`. PortTaken."""

    async def hold(websocket: ServerConnection, identity: str) -> None:
        await chargers.serve(websocket, identity, lambda *_: None)

    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(
            holding(hold, _HOST, ocpp_port, _PING_WINDOW, model.subprotocols)
        )
        rest = await stack.enter_async_context(answering(_respond(model), _HOST, port))
        yield StandIn(rest.port, rest.url, f"ws://{_HOST}:{held}/ocpp")


def chargers() -> Chargers:
    """No charger yet: these servers know the ones that connected to them."""
    return Chargers((), _CALL_TIMEOUT)


def connected(chargers: Chargers) -> list[str]:
    return [identity for identity, charger in chargers.by_identity.items() if charger.connected]


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


def _respond(model: Model) -> Any:
    async def respond(request: Request) -> Response:
        if request.target == CONNECTED:
            return answer(200, model.connected())
        return await model.respond(request)

    return respond


async def outlast(behaviour: Behaviour, patience: float) -> bool:
    """Waits for a played charge point's answer, at most `patience` seconds; whether it came."""
    await asyncio.sleep(min(behaviour.delay, patience))
    return behaviour.delay < patience

"""OCPP.Core: starts and the list of connected charge points over its REST API, with charge points that it plays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.chargers.behaviours import Reaction
from local.standins.serving import Played, answer, header, outlast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers.behaviours import Behaviour
    from local.server import Request, Response

NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked; every other one may charge."""
_AVAILABLE, _OCCUPIED = 1, 2


class OcppCore:
    """`starts` are those that reached a charge point; `undefined` are chargers that have told no status yet."""

    subprotocols: Sequence[str] = ()

    def __init__(
        self,
        behaviours: Sequence[Behaviour],
        api_key: str = "",
        patience: float = 60.0,
        undefined: Sequence[str] = (),
    ) -> None:
        """Without an `api_key` nobody needs one; `patience` is the seconds that a charge point has to answer."""
        self.played = Played(behaviours)
        self.starts = self.played.starts
        self.connected = self.played.connected
        self.api_key = api_key
        self._patience = patience
        self._undefined = undefined

    async def respond(self, request: Request) -> Response:
        path = request.target.partition("?")[0].split("/")
        if path[1] != "API":
            return answer(404)
        if self.api_key and header(request, "x-api-key") != self.api_key:
            return answer(401)
        match [unquote(part) for part in path[2:]]:
            case ["Status", *_]:
                return answer(200, [self._status(self.played[identity]) for identity in self.connected()])
            case ["StartTransaction", charger, connector, token] if (
                charger and token and connector.isdecimal()
            ):
                return await self._start(self.played[charger], int(connector), token)
            case ["StartTransaction", *_]:
                return answer(400)
        return answer(404)

    async def _start(self, charger: Behaviour | None, connector: int, token: str) -> Response:
        if charger is None:
            return answer(404)
        if token == NOT_ELIGIBLE:
            return answer(200, {"status": "Rejected"})
        if charger.reaction is Reaction.DROP:
            return answer(500)
        self.starts.append((charger.identity, connector, token))
        if charger.reaction in (Reaction.ACCEPT, Reaction.REJECT) and await outlast(charger, self._patience):
            return answer(200, {"status": "Accepted" if charger.reaction is Reaction.ACCEPT else "Rejected"})
        if charger.reaction not in (Reaction.ACCEPT, Reaction.REJECT):
            await asyncio.sleep(self._patience)  # a CALLERROR is not passed on
        return answer(200, {"status": "Timeout"})

    def _status(self, charger: Behaviour | None) -> dict[str, Any]:
        assert charger is not None
        told = {} if charger.identity in self._undefined else _connectors(charger)
        return {
            "id": charger.identity,
            "name": charger.identity,
            "protocol": f"ocpp{charger.version}",
            "OnlineConnectors": told,
        }


def _connectors(charger: Behaviour) -> dict[str, Any]:
    return {
        str(number): {
            "Status": _OCCUPIED if number in charger.busy else _AVAILABLE,
            "ChargeRateKW": None,
            "MeterKWH": None,
            "SoC": None,
        }
        for number in range(1, charger.connectors + 1)
    }

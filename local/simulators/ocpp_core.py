"""OCPP.Core: starts, and the list of the connected charge points, over its REST API."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ocpp.exceptions import OCPPError

from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected
from local.simulators.serving import answer, ask, connected, header, no_chargers, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Charger, Session
    from local.csms.version import Call
    from local.server import Request, Response

NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked; every other one may charge."""
_STATUSES = {"Available": 1, "Unavailable": 3, "Faulted": 4}
_OCCUPIED = 2


class OcppCore:
    """One process's charge points. A start at one in `throws` ends in an exception of the server. `in_use` are the tokens that
    have an open transaction, with `DenyConcurrentTx` on."""

    subprotocols: Sequence[str] = SUBPROTOCOLS

    def __init__(
        self,
        api_key: str = "",
        patience: float = 60.0,
        throws: Sequence[str] = (),
        in_use: Sequence[str] = (),
    ) -> None:
        """Without an `api_key` nobody needs one; `patience` is the seconds that a charge point has to answer."""
        self.chargers = no_chargers()
        self._api_key = api_key
        self._patience = patience
        self._throws = throws
        self._in_use = in_use

    async def respond(self, request: Request) -> Response:
        path = _without_dots(request.target.partition("?")[0].split("/"))
        if path[1] != "API":
            return answer(404)
        if self._api_key and header(request, "x-api-key") != self._api_key:
            return answer(401)
        match [_decoded(part) for part in path[2:]]:
            case ["Status", *_]:
                return answer(200, [self._entry(identity) for identity in connected(self.chargers)])
            case ["StartTransaction", charger, connector, token] if (
                charger and token and connector.isdecimal()
            ):
                return await self._start(charger, int(connector), token)
            case ["StartTransaction", *_]:
                return answer(400)
        return answer(404)

    async def _start(self, charger: str, connector: int, token: str) -> Response:
        session = session_of(self.chargers, charger)
        if session is None:
            return answer(404)
        # For 2.0.1 and 2.1 DenyConcurrentTx is applied to the charge point's own TransactionEvent only.
        if token == NOT_ELIGIBLE or (token in self._in_use and session.version == "1.6"):
            return answer(200, {"status": "Rejected"})
        if charger in self._throws:
            return answer(500)
        return answer(200, {"status": await self._said(session, connector, token)})

    async def _said(self, session: Session, connector: int, token: str) -> str:
        until = asyncio.get_running_loop().time() + self._patience
        try:
            said = await ask(session, _start_call(session.version, token, connector), self._patience)
            return str(said["status"])
        except (CallFailed, Disconnected, OCPPError):  # not passed on: who asked waits all the same
            await asyncio.sleep(until - asyncio.get_running_loop().time())
        except TimeoutError:
            pass
        return "Timeout"

    def _entry(self, identity: str) -> dict[str, Any]:
        charger = self.chargers.by_identity[identity]
        version = charger.session.version if charger.session else ""
        return {
            "id": identity,
            "name": identity,
            "protocol": f"ocpp{version}",
            "OnlineConnectors": _connectors(charger),
        }


def _start_call(version: str, token: str, connector: int) -> Call:
    if version == "1.6":
        return "RemoteStartTransaction", {"connectorId": connector, "idTag": token}
    payload = {"evseId": connector, "idToken": {"idToken": token, "type": "ISO14443"}, "remoteStartId": 0}
    return "RequestStartTransaction", payload


def _decoded(part: str) -> str:
    """As Kestrel hands a path on: everything decoded but the slash."""
    return "%2F".join(unquote(piece) for piece in re.split("%2[Ff]", part))


def _without_dots(segments: list[str]) -> list[str]:
    """As Kestrel removes them, however they are encoded."""
    kept: list[str] = []
    for segment in segments:
        if unquote(segment) == "..":
            del kept[max(1, len(kept) - 1) :]
        elif unquote(segment) != ".":
            kept.append(segment)
    return kept


def _connectors(charger: Charger) -> dict[str, Any]:
    return {
        str(number): {
            "Status": _STATUSES.get(report.status, _OCCUPIED),
            "ChargeRateKW": None,
            "MeterKWH": None,
            "SoC": None,
        }
        for number, report in charger.reports.items()
    }


# For `python -m local`: the models that it can run, and whether its charge points have OCPP 1.6 alone.
MODELS = {"ocpp-core": OcppCore}
OCPP_16_ONLY = False

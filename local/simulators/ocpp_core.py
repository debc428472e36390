"""A simulator of OCPP.Core: starts, and the list of the connected charge points."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ocpp.exceptions import OCPPError

from local.csms.recorder import NoRecords
from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected
from local.simulators.serving import (
    call_charger,
    connected_identities,
    header,
    json_response,
    new_chargers,
    session_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Charger, Session
    from local.csms.version import Call
    from local.server import Request, Response

NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked. Every other token may charge."""
_STATUSES = {"Available": 1, "Unavailable": 3, "Faulted": 4}
_OCCUPIED = 2


class OcppCore:
    """The REST API and the charge points of one process."""

    subprotocols: Sequence[str] = SUBPROTOCOLS

    def __init__(
        self,
        api_key: str = "",
        timeout: float = 60.0,
        failing_chargers: Sequence[str] = (),
        tokens_in_use: Sequence[str] = (),
    ) -> None:
        """An empty `api_key`: no credentials are required. `timeout`: seconds in which a charge point must answer.

        A start at one of `failing_chargers` raises an exception in the server. `tokens_in_use` have an open transaction, with
        `DenyConcurrentTx` on.
        """
        self.chargers = new_chargers()
        self.recorder = NoRecords()
        self._api_key = api_key
        self._timeout = timeout
        self._failing_chargers = failing_chargers
        self._tokens_in_use = tokens_in_use

    async def respond(self, request: Request) -> Response:
        path = _remove_dot_segments(request.target.partition("?")[0].split("/"))
        if path[1] != "API":
            return json_response(404)
        if self._api_key and header(request, "x-api-key") != self._api_key:
            return json_response(401)
        match [_decode_segment(part) for part in path[2:]]:
            case ["Status", *_]:
                return json_response(
                    200, [self._entry(identity) for identity in connected_identities(self.chargers)]
                )
            case ["StartTransaction", charger, connector, token] if (
                charger and token and connector.isdecimal()
            ):
                return await self._start(charger, int(connector), token)
            case ["StartTransaction", *_]:
                return json_response(400)
        return json_response(404)

    async def _start(self, charger: str, connector: int, token: str) -> Response:
        session = session_of(self.chargers, charger)
        if session is None:
            return json_response(404)
        # For 2.0.1 and 2.1 the server applies DenyConcurrentTx only to the TransactionEvent that the charge point sends.
        if token == NOT_ELIGIBLE or (token in self._tokens_in_use and session.version == "1.6"):
            return json_response(200, {"status": "Rejected"})
        if charger in self._failing_chargers:
            return json_response(500)
        return json_response(200, {"status": await self._read_status(session, connector, token)})

    async def _read_status(self, session: Session, connector: int, token: str) -> str:
        until = asyncio.get_running_loop().time() + self._timeout
        try:
            result = await call_charger(
                session, _start_call(session.version, token, connector), self._timeout
            )
            return str(result["status"])
        except (
            CallFailed,
            Disconnected,
            OCPPError,
        ):  # not passed on: the request still waits for the timeout
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


def _decode_segment(part: str) -> str:
    """Decode a path segment as Kestrel does: everything except the slash."""
    return "%2F".join(unquote(piece) for piece in re.split("%2[Ff]", part))


def _remove_dot_segments(segments: list[str]) -> list[str]:
    """Remove dot segments as Kestrel does, encoded or not."""
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


# What `python -m local.simulators` can run, by name; the dialect's own name is the one that `make run` starts.
MODELS = {"ocpp-core": OcppCore}

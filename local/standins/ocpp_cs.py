"""ocpp-cs, version 1 or 2: it passes the body on, and the charge point's own answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected
from local.standins.serving import answer, ask, connected, document, header, no_chargers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Charger
    from local.server import Request, Response

_PATIENCE = {1: 5.0, 2: 30.0}  # seconds
_ACTIONS = {"1.6": ("RemoteStartTransaction", "idTag"), "2.0.1": ("RequestStartTransaction", "idToken")}
_KEYS_16 = {"connectorId", "idTag", "chargingProfile"}


class OcppCs:
    """One process's charge points: version 1 has those of OCPP 1.6, version 2 those of 2.0.1 too."""

    def __init__(self, version: int = 1, bearer: str = "", patience: float | None = None) -> None:
        """Without a `bearer` nobody needs one, as in the demo build."""
        self.subprotocols: Sequence[str] = ("ocpp1.6",) if version == 1 else SUBPROTOCOLS
        self.chargers = no_chargers()
        self.bearer = bearer
        self._version = version
        self._patience = _PATIENCE[version] if patience is None else patience

    async def respond(self, request: Request) -> Response:
        if self.bearer and header(request, "authorization") != f"Bearer {self.bearer}":
            return _error(401, "Unauthorized")
        match request.method, request.target.split("/"):
            case "GET", ["", "api", "v1", "ChargePointList"]:
                return answer(200, self._list())
            case "POST", ["", "api", "v1", "ChargePoint", identity, "RemoteStartTransaction"]:
                return await self._start(unquote(identity), document(request))
        return _error(404, "Unknown API command")

    def _list(self) -> Any:
        if self._version == 1:
            listed = [_entry_of_version_1(identity) for identity in connected(self.chargers)]
            return {"ChargePointList": listed}
        return [_entry_of_version_2(charger) for charger in self.chargers.by_identity.values()]

    async def _start(self, identity: str, body: Any) -> Response:
        one = self._version == 1
        body = body if isinstance(body, dict) else {}
        charger = self.chargers.by_identity.get(identity)
        if charger is None:
            text = f"Not found Charge Point by Identity: {identity}"
            return _error(400, text) if one else _error(404, f"Charge point '{identity}' not found")
        if one and (invalid := next((key for key in body if key not in _KEYS_16), None)):
            return _error(400, f"Invalid key: {invalid}")
        if one and "idTag" not in body:
            return _error(400, "Not found required key: idTag (IdToken)")
        session = charger.connected
        if session is None:
            text = "Charge Point not connected."
            return _error(400, text) if one else _error(503, f"Charge point '{identity}' is not connected")
        action, token = _ACTIONS[session.version]
        if token not in body:
            return _error(400, f"Missing required field '{token}' for {action}")
        until = asyncio.get_running_loop().time() + self._patience
        try:
            return answer(200, await ask(session, (action, body), self._patience))
        except CallFailed as failed:
            if one:
                return _error(400, f"{failed.code}: ")
            error = {"error": True, "errorCode": failed.code, "errorDescription": "", "errorDetails": {}}
            return answer(200, error)
        except Disconnected:  # not passed on: who asked waits all the same
            await asyncio.sleep(until - asyncio.get_running_loop().time())
        except TimeoutError:
            pass
        if one:
            return _error(504, "Gateway Timeout")
        return _error(503, f"Charge point did not respond within {self._patience:g}s")


def _entry_of_version_1(identity: str) -> dict[str, Any]:
    connection = {"Socket": 7, "IP": "127.0.0.1", "Port": 50000}
    return {"Identity": identity, "Address": "127.0.0.1", "Connection": connection}


def _entry_of_version_2(charger: Charger) -> dict[str, Any]:
    entry: dict[str, Any] = {"identity": charger.identity, "address": "127.0.0.1", "protocol": "JSON"}
    version = entry["ocppVersion"] = charger.session.version if charger.session else "1.6"
    if charger.connected:
        entry["connection"] = {"fd": 7}
    if charger.reports:
        last = max(charger.reports.values(), key=lambda report: report.at)
        told: dict[str, Any] = {"errorCode": last.error_code, "status": last.status}
        if version == "2.0.1":
            told = {"evseId": last.connector, "connectorStatus": last.status}
        entry["statusNotification"] = {"connectorId": last.connector, **told}
    return entry


def _error(status: int, text: str) -> Response:
    return answer(status, {"error": {"code": status, "message": text}})

"""A simulator of ocpp-cs, version 1 or 2. It forwards the request's body, and returns the charge point's answer.

Version 1 is commit 1645105 (March 2026), observed on a running server. Version 2 is commit 8cf34c4, read in its source.
`older` are the commits before December 2025 (version 1) and before 15 March 2026 (version 2).
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from websockets.frames import CloseCode

from local.csms.chargers import Charger, Chargers
from local.csms.recorder import NoRecords
from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected
from local.simulators.serving import (
    CALL_TIMEOUT,
    call_charger,
    header,
    json_body,
    json_response,
    new_chargers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.server import ServerConnection

    from local.csms.recorder import Recorder
    from local.csms.version import Call
    from local.server import Request, Response

_OLDER_TIMEOUT = 5.0  # seconds
_TIMEOUT = 30.0
_NEVER_REPORTED = {
    "connectorId": 0,
    "errorCode": "NoError",
    "status": "Unavailable",
    "timestamp": "1899-12-30T00:00:00.000Z",
}
_ACTIONS = {"1.6": ("RemoteStartTransaction", "idTag"), "2.0.1": ("RequestStartTransaction", "idToken")}
_KEYS_16 = {"connectorId", "idTag", "chargingProfile"}


class OcppCs:
    """The REST API and the charge points of one process: OCPP 1.6 in version 1, 1.6 and 2.0.1 in version 2."""

    def __init__(
        self, version: int = 1, bearer: str = "", timeout: float | None = None, *, older: bool = False
    ) -> None:
        """An empty `bearer`: no credentials are required, as in the demo build.

        `timeout`: seconds in which a charge point must answer. The newest version 1 has none by default.
        """
        self.subprotocols: Sequence[str] = ("ocpp1.6",) if version == 1 else SUBPROTOCOLS
        self.chargers = _ForgettingChargers((), CALL_TIMEOUT) if version == 1 else new_chargers()
        self.recorder = NoRecords()
        self.bearer = bearer
        self._version = version
        self._older = older
        default = _OLDER_TIMEOUT if older else None
        self._timeout = timeout if timeout is not None else default if version == 1 else _TIMEOUT

    async def respond(self, request: Request) -> Response:
        if self.bearer and header(request, "authorization") != f"Bearer {self.bearer}":
            return _error(401, "Unauthorized")
        match request.method, request.target.split("/"):
            case "GET", ["", "api", "v1", "ChargePointList"]:
                return json_response(200, self._list())
            case "POST", ["", "api", "v1", "ChargePoint", identity, "RemoteStartTransaction"]:
                return await self._start(unquote(identity), json_body(request))
        return _error(404, "Unknown API command")

    def _list(self) -> Any:
        if self._version == 1:
            entry = _older_entry_of_version_1 if self._older else _entry_of_version_1
            return {"ChargePointList": [entry(charger) for charger in self.chargers.by_identity.values()]}
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
            name = "" if self._older else f" {identity}"
            text = f"Charge Point{name} not connected."
            return _error(400, text) if one else _error(503, f"Charge point '{identity}' is not connected")
        action, token = _ACTIONS[session.version]
        if not one and not self._older and session.version == "2.0.1":
            body = _to_request_start(body)
        if token not in body:
            if self._older:
                return _error(400, f"Missing required field '{token}' for {action}")
            why = f"required property '{token}' not found in object"
            return _error(400, f"At  of {json.dumps(body, separators=(',', ':'))} - {why}\n")
        return await self._call((action, body), charger)

    async def _call(self, call: Call, charger: Charger) -> Response:
        one = self._version == 1
        assert charger.session
        began = asyncio.get_running_loop().time()
        try:
            return json_response(200, await call_charger(charger.session, call, self._timeout))
        except CallFailed as failed:
            if one:
                return _error(400, f"{failed.code}: ")
            error = {"error": True, "errorCode": failed.code, "errorDescription": "", "errorDetails": {}}
            return json_response(200, error)
        except Disconnected:  # not passed on: the request still waits for the timeout
            if self._timeout is None:
                await asyncio.Event().wait()
            else:
                await asyncio.sleep(began + self._timeout - asyncio.get_running_loop().time())
        except TimeoutError:
            pass
        if one:
            return _error(504, "Gateway Timeout")
        return _error(503, f"Charge point did not respond within {self._timeout:g}s")


class _ForgettingChargers(Chargers):
    """The chargers of version 1: it deletes one that closes its connection, and keeps one whose connection breaks."""

    async def serve(self, websocket: ServerConnection, identity: str, recorder: Recorder) -> None:
        await super().serve(websocket, identity, recorder)
        charger = self.by_identity.get(identity)
        if charger and charger.session is None and websocket.close_code != CloseCode.ABNORMAL_CLOSURE:
            del self.by_identity[identity]


def _to_request_start(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body of RequestStartTransaction, converted if the request has a body of OCPP 1.6."""
    if "idTag" not in body or "idToken" in body:
        return body
    connector = body.get("connectorId")
    return {
        **({"evseId": connector} if connector else {}),
        "idToken": {"idToken": body["idTag"], "type": "ISO14443"},
        "remoteStartId": 1,
    }


def _entry_of_version_1(charger: Charger) -> dict[str, Any]:
    connected = charger.connected is not None
    return {
        "identity": charger.identity,
        "address": "127.0.0.1",
        "connection": {"socket": 7, "ip": "127.0.0.1", "port": 50000} if connected else None,
        "bootNotification": {"chargePointVendor": "", "chargePointModel": ""} if connected else None,
        "statusNotification": _NEVER_REPORTED if connected else None,
    }


def _older_entry_of_version_1(charger: Charger) -> dict[str, Any]:
    connection = {"Socket": 7, "IP": "127.0.0.1", "Port": 50000} if charger.connected else None
    return {"Identity": charger.identity, "Address": "127.0.0.1", "Connection": connection}


def _entry_of_version_2(charger: Charger) -> dict[str, Any]:
    entry: dict[str, Any] = {"identity": charger.identity, "address": "127.0.0.1", "protocol": "JSON"}
    version = entry["ocppVersion"] = charger.session.version if charger.session else "1.6"
    if charger.connected:
        entry["connection"] = {"fd": 7}
    if charger.reports:
        last = max(charger.reports.values(), key=lambda report: report.at)
        status: dict[str, Any] = {"errorCode": last.error_code, "status": last.status}
        if version == "2.0.1":
            status = {"evseId": last.connector, "connectorStatus": last.status}
        entry["statusNotification"] = {"connectorId": last.connector, **status}
    return entry


def _error(status: int, text: str) -> Response:
    return json_response(status, {"error": {"code": status, "message": text}})


# What `python -m local.simulators` can run, by name; the dialect's own name is the one that `make run` starts.
MODELS = {"ocpp-cs": OcppCs, "ocpp-cs-2": lambda: OcppCs(version=2)}

"""SteVe: remote starts over its REST API, and charge points of OCPP 1.6 that it plays."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.chargers.behaviours import Reaction
from local.standins.serving import Played, answer, document, header, outlast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers.behaviours import Behaviour
    from local.server import Request, Response

PATH = "/steve/api/v1/operations/RemoteStartTransaction"
NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked; every other one is active."""
_TAG = re.compile(r"[a-zA-Z0-9.:_#-]{1,40}")
_NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
_NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."


class Steve:
    """`starts` are those that reached a charge point."""

    subprotocols: Sequence[str] = ()

    def __init__(
        self, behaviours: Sequence[Behaviour], user: str = "", password: str = "", patience: float = 30.0
    ) -> None:
        """Without a `user` nobody needs credentials; `patience` is the seconds that a charge point has to answer."""
        self.played = Played(behaviours)
        self.starts = self.played.starts
        self.connected = self.played.connected
        self.authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._patience = patience
        self._tasks = 0

    async def respond(self, request: Request) -> Response:
        if self.authorization and header(request, "authorization") != self.authorization:
            return _error(401, "Full authentication is required to access this resource")
        if request.target != PATH or request.method != "POST":
            return _error(404, "No static resource")
        body = document(request)
        chargers, tag, connector = _read(body)
        if len(chargers) != 1 or not tag:
            return _error(400, "Error understanding the request")
        if tag == NOT_ELIGIBLE:
            return _error(400, _NO_TAG)
        charger = self.played[chargers[0]]
        if charger is None:
            return _error(400, _NO_STATIONS)
        self._tasks += 1
        result = await self._start(charger, connector, tag)
        return answer(200, {"taskId": self._tasks, "taskFinished": bool(result), **_EMPTY, **result})

    async def _start(self, charger: Behaviour, connector: int | None, tag: str) -> dict[str, Any]:
        identity = charger.identity
        if charger.reaction is Reaction.DROP:
            gone = {"chargeBoxId": identity, "exceptionMessage": "Session closed"}
            return {"exceptions": [gone]}
        self.starts.append((identity, connector, tag))
        if charger.reaction is Reaction.SILENT:
            await asyncio.sleep(self._patience)
            return {}
        if not await outlast(charger, self._patience):
            return {}
        if charger.reaction in _CALL_ERRORS:
            code = _CALL_ERRORS[charger.reaction]
            error = {"chargeBoxId": identity, "errorCode": code, "errorDescription": "", "errorDetails": ""}
            return {"errorResponses": [error]}
        response = "Accepted" if charger.reaction is Reaction.ACCEPT else "Rejected"
        return {"successResponses": [{"chargeBoxId": identity, "response": response}]}


_EMPTY: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}
_CALL_ERRORS = {Reaction.NOT_SUPPORTED: "NotSupported", Reaction.FAIL: "InternalError"}


def _read(body: Any) -> tuple[list[str], str, int | None]:
    """Chargers, token and connector; no token where the body is not valid."""
    if not isinstance(body, dict) or not isinstance(body.get("chargeBoxIdList"), list):
        return [], "", None
    tag, connector = body.get("idTag"), body.get("connectorId")
    if not isinstance(tag, str) or not _TAG.fullmatch(tag) or not isinstance(connector, int | None):
        return [], "", None
    return body["chargeBoxIdList"], tag, connector or None


def _error(status: int, text: str) -> Response:
    stamp = datetime.now(UTC).isoformat()
    phrase = HTTPStatus(status).phrase
    return answer(
        status, {"timestamp": stamp, "status": status, "error": phrase, "message": text, "path": PATH}
    )

"""SteVe: remote starts over its REST API, to charge points of OCPP 1.6."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import OCPPError

from local.ocppj import CallFailed, Disconnected
from local.standins.serving import answer, ask, document, header, no_chargers, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Session
    from local.server import Request, Response

PATH = "/steve/api/v1/operations/RemoteStartTransaction"
NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked; every other one is active."""
_TAG = re.compile(r"[a-zA-Z0-9.:_#-]{1,40}")
_NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
_NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."


class Steve:
    """One process's charge points."""

    subprotocols: Sequence[str] = ("ocpp1.6",)

    def __init__(self, user: str = "", password: str = "", patience: float = 30.0) -> None:
        """Without a `user` nobody needs credentials; `patience` is the seconds that a charge point has to answer."""
        self.chargers = no_chargers()
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._patience = patience
        self._tasks = 0

    async def respond(self, request: Request) -> Response:
        if self._authorization and header(request, "authorization") != self._authorization:
            return _error(401, "Full authentication is required to access this resource")
        if request.target != PATH or request.method != "POST":
            return _error(404, "No static resource")
        chargers, tag, connector = _read(document(request))
        if len(chargers) != 1 or not tag:
            return _error(400, "Error understanding the request")
        if tag == NOT_ELIGIBLE:
            return _error(400, _NO_TAG)
        session = session_of(self.chargers, chargers[0])
        if session is None:
            return _error(400, _NO_STATIONS)
        self._tasks += 1
        result = await self._start(session, chargers[0], connector, tag)
        return answer(200, {"taskId": self._tasks, "taskFinished": bool(result), **_EMPTY, **result})

    async def _start(self, session: Session, charger: str, connector: int | None, tag: str) -> dict[str, Any]:
        try:
            said = await ask(session, session.ocpp.start(tag, connector, 0), self._patience)
        except CallFailed as failed:
            error = {"chargeBoxId": charger, "errorCode": failed.code, "errorDescription": ""}
            return {"errorResponses": [{**error, "errorDetails": ""}]}
        except (Disconnected, OCPPError):
            return {"exceptions": [{"chargeBoxId": charger, "exceptionMessage": "Session closed"}]}
        except TimeoutError:
            return {}
        return {"successResponses": [{"chargeBoxId": charger, "response": said["status"]}]}


_EMPTY: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}


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

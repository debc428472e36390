"""A simulator of SteVe: remote starts over its REST API, to charge points of OCPP 1.6.

The responses were observed on 3.14.1 and on commit 38b299a149c6. SOAP charge points are not simulated.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ocpp.exceptions import OCPPError
from ocpp.messages import Call, unpack
from websockets.exceptions import ConnectionClosed

from local.csms.chargers import Charger, Chargers, Session
from local.ocppj import CallFailed, Disconnected
from local.server import Response
from local.simulators.serving import header, json_body, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocpp.messages import CallError, CallResult
    from websockets.asyncio.server import ServerConnection

    from local.ocppj import Payload
    from local.server import Request

CONTEXT = "/steve"
API = f"{CONTEXT}/api/v1"
PATH = f"{API}/operations/RemoteStartTransaction"
NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked. Every other token is active."""
_NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
_NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."
_NO_USER = "The user does not exist, exists but is disabled or has API access disabled."
_LARGEST_INT = 0x7FFFFFFF
_SERVER_ERROR = 1011  # the close code of RFC 6455
_ERROR_CODES = frozenset(  # of OCPP 1.6J; SteVe cannot parse any other
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
)
_EMPTY: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}


class Steve:
    """The REST API and the charge points of one process. The database fails while `database_down` is set."""

    subprotocols: Sequence[str] = ("ocpp1.6",)

    def __init__(
        self,
        user: str = "",
        password: str = "",
        timeout: float = 30.0,
        max_token_length: int = 20,
        one_transaction_a_tag: bool = False,
    ) -> None:
        """An empty `user`: no credentials are required. `timeout`: seconds in which a charge point must answer.

        `max_token_length`: 20 in 3.14.1, 40 at 38b299a149c6. With `one_transaction_a_tag`, SteVe's default, a tag with an
        active transaction is not eligible.
        """
        self.stations = Stations(timeout)
        self.chargers: Chargers = self.stations
        self.database_down = False
        self._user = user
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._timeout = timeout
        self._tag = re.compile(rf"[a-zA-Z0-9.:_#-]{{1,{max_token_length}}}")
        self._one_transaction_a_tag = one_transaction_a_tag
        self._tasks = 0

    async def respond(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        if not path.startswith(f"{CONTEXT}/"):
            return _page(404)
        if not path.startswith(f"{API}/"):
            return _page(403)
        if self._authorization and (rejected := self._unauthorized(request)):
            return rejected
        if path != PATH or request.method != "POST":
            return _page(403)
        body = json_body(request)
        if not isinstance(body, dict) or _overflows(body.get("connectorId")):
            return _error(500, "The request could not be read")
        if not (start := self._read(body)):
            return _error(400, "Error understanding the request")
        charger, tag, connector = start
        if not self._eligible(tag):
            return _error(400, _NO_TAG)
        session = self.stations.newest(charger)
        if session is None:
            return _error(400, _NO_STATIONS)
        self._tasks += 1
        result = await self._start(session, charger, connector, tag)
        return json_response(200, {"taskId": self._tasks, "taskFinished": bool(result), **_EMPTY, **result})

    def _unauthorized(self, request: Request) -> Response | None:
        given = header(request, "authorization")
        if not given:
            location = f"http://{header(request, 'host')}{CONTEXT}/manager/signin;jsessionid=0"
            return Response(302, [("Location", location)])
        if given == self._authorization:
            return None
        known = given.startswith("Basic ") and _user_of(self._authorization) == _user_of(given)
        return _error(401, "Invalid password" if known else _NO_USER)

    def _read(self, body: dict[str, Any]) -> tuple[str, str, int | None] | None:
        """Return charger, token and connector, or None if the body is not valid."""
        chargers, tag, connector = body.get("chargeBoxIdList"), body.get("idTag"), body.get("connectorId")
        if not isinstance(chargers, list) or len(chargers) != 1 or not isinstance(chargers[0], str):
            return None
        if not isinstance(tag, str) or not self._tag.fullmatch(tag):
            return None
        if not isinstance(connector, int | None) or (connector or 0) < 0:
            return None
        return chargers[0], tag, connector or None

    def _eligible(self, tag: str) -> bool:
        if self.database_down or tag == NOT_ELIGIBLE:
            return False
        return not (self._one_transaction_a_tag and tag in self.stations.transactions.values())

    async def _start(self, session: Socket, charger: str, connector: int | None, tag: str) -> dict[str, Any]:
        clock = asyncio.get_running_loop().time
        until = clock() + self._timeout
        try:
            pending = await session.send(*session.ocpp.start(tag, connector, 0))
        except Disconnected:
            return _exception(charger, f"No session context for chargeBoxId '{charger}'")
        done, _ = await asyncio.wait({pending}, timeout=self._timeout)
        if not done:
            pending.cancel()
            return {}
        try:
            status = pending.result()["status"]
        except Disconnected:  # SteVe keeps waiting for a charge point whose socket has closed
            await asyncio.sleep(until - clock())
            return {}
        except CallFailed as failed:
            if failed.code in _ERROR_CODES:
                error = {"chargeBoxId": charger, "errorCode": failed.code, "errorDescription": None}
                return {"errorResponses": [{**error, "errorDetails": session.details}]}
            return await self._reject_unreadable(session, charger)
        except OCPPError:
            return await self._reject_unreadable(session, charger)
        return {"successResponses": [{"chargeBoxId": charger, "response": status}]}

    async def _reject_unreadable(self, session: Socket, charger: str) -> dict[str, Any]:
        await session.websocket.close(_SERVER_ERROR)
        return _exception(charger, f"Deserialization of incoming string failed: {session.raw}")


class Socket(Session):
    """One WebSocket of a charge point. SteVe closes it after an answer that is late or that it cannot parse.

    `raw` is the text of the last answer, `details` the JSON text of its errorDetails.
    """

    raw = ""
    details: str | None = None

    def follow(self, transactions: dict[int, str]) -> None:
        """Keep the tag of each active transaction of this socket in `transactions`, by its id."""
        start, stop = self._handlers["StartTransaction"], self._handlers["StopTransaction"]

        async def started(payload: Payload) -> Payload:
            result = await start(payload)
            transactions[result["transactionId"]] = payload["idTag"]
            return result

        async def stopped(payload: Payload) -> Payload:
            transactions.pop(payload["transactionId"], None)
            return await stop(payload)

        self._handlers = {**self._handlers, "StartTransaction": started, "StopTransaction": stopped}

    async def send(self, action: str, payload: Payload) -> asyncio.Future[Payload]:
        """Send a call without validation: from 38b299a149c6 on, SteVe sends tokens longer than OCPP 1.6 allows."""
        message = Call(str(uuid4()), action, payload)
        pending: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._waiting[message.unique_id] = (action, pending)
        try:
            await self.websocket.send(message.to_json())
        except ConnectionClosed:
            self._waiting.pop(message.unique_id, None)
            raise Disconnected from None
        return pending

    async def _route(self, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        try:
            message = unpack(text)
        except OCPPError:
            await self.websocket.close(_SERVER_ERROR)
            return
        if not isinstance(message, Call):
            _, pending = self._waiting.get(str(message.unique_id), (None, None))
            if pending is None or pending.done():  # to another call, or late
                await self.websocket.close(_SERVER_ERROR)
                return
            self.raw = text
        await super()._route(text)

    async def _resolve(self, message: CallResult | CallError) -> None:
        details = getattr(message, "error_details", None)
        self.details = json.dumps(details, separators=(",", ":")) if details else None
        await super()._resolve(message)


class Stations(Chargers):
    """The charge points of one SteVe. It sends a call to the newest socket of a charge point.

    `transactions`: the tag of each active transaction, by its id.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__((), timeout)
        self.transactions: dict[int, str] = {}
        self._sockets: dict[str, list[Socket]] = {}

    def newest(self, identity: str) -> Socket | None:
        """Return the newest open socket of a charge point, or None. The identity's letter case matters."""
        return next((one for one in reversed(self._sockets.get(identity, ())) if one.open), None)

    async def serve(
        self, websocket: ServerConnection, identity: str, on_started: Callable[[str, int, int, str], None]
    ) -> None:
        """Serve one socket until it closes. Older sockets of the same charge point stay open."""
        charger = self.by_identity.setdefault(identity, Charger(identity))
        socket = Socket(websocket, charger, on_started, self._call_timeout)
        socket.follow(self.transactions)
        sockets = self._sockets.setdefault(identity, [])
        sockets.append(socket)
        charger.session = socket
        try:
            await socket.run()
        finally:
            sockets.remove(socket)
            charger.session = self.newest(identity)


def _user_of(authorization: str) -> bytes:
    try:
        return b64decode(authorization.removeprefix("Basic ")).partition(b":")[0]
    except ValueError:
        return b""


def _overflows(connector: object) -> bool:
    return isinstance(connector, int) and connector > _LARGEST_INT


def _exception(charger: str, message: str) -> dict[str, Any]:
    return {"exceptions": [{"chargeBoxId": charger, "exceptionMessage": message}]}


def _page(status: int) -> Response:
    """Return a page of Tomcat's own."""
    text = f"<!doctype html><html><body><h1>HTTP Status {status}</h1></body></html>"
    return Response(status, [("Content-Type", "text/html;charset=utf-8")], text.encode())


def _error(status: int, text: str) -> Response:
    stamp = datetime.now(UTC).isoformat()
    phrase = HTTPStatus(status).phrase
    return json_response(
        status, {"timestamp": stamp, "status": status, "error": phrase, "message": text, "path": PATH}
    )


# What `python -m local.simulators` can run, by name; the dialect's own name is the one that `make run` starts.
MODELS = {"steve": Steve}

"""SteVe: remote starts over its REST API, to charge points of OCPP 1.6.

Its answers are those that were seen on 3.14.1 and on commit 38b299a149c6. SOAP charge points are left out.
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
from local.simulators.serving import answer, document, header

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
"""A token that is registered and blocked; every other one is active."""
_NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
_NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."
_NO_USER = "The user does not exist, exists but is disabled or has API access disabled."
_LARGEST_INT = 0x7FFFFFFF
_SERVER_ERROR = 1011  # the close code of RFC 6455
_ERROR_CODES = frozenset(  # of OCPP 1.6J; SteVe cannot read any other
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
    """One process's charge points. The database fails while `database_down` is set."""

    subprotocols: Sequence[str] = ("ocpp1.6",)

    def __init__(
        self,
        user: str = "",
        password: str = "",
        patience: float = 30.0,
        longest_token: int = 20,
        one_transaction_a_tag: bool = False,
    ) -> None:
        """Without a `user` nobody needs credentials. `patience` is the seconds that a charge point has to answer.

        `longest_token`: 20 in 3.14.1, 40 at 38b299a149c6. With `one_transaction_a_tag`, SteVe's default, a tag that has an
        active transaction is not eligible.
        """
        self.stations = Stations(patience)
        self.chargers: Chargers = self.stations
        self.database_down = False
        self._user = user
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._patience = patience
        self._tag = re.compile(rf"[a-zA-Z0-9.:_#-]{{1,{longest_token}}}")
        self._one_transaction_a_tag = one_transaction_a_tag
        self._tasks = 0

    async def respond(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        if not path.startswith(f"{CONTEXT}/"):
            return _page(404)
        if not path.startswith(f"{API}/"):
            return _page(403)
        if self._authorization and (refusal := self._unauthorized(request)):
            return refusal
        if path != PATH or request.method != "POST":
            return _page(403)
        body = document(request)
        if not isinstance(body, dict) or _is_over(body.get("connectorId")):
            return _error(500, "The request could not be read")
        if not (read := self._read(body)):
            return _error(400, "Error understanding the request")
        charger, tag, connector = read
        if not self._eligible(tag):
            return _error(400, _NO_TAG)
        session = self.stations.newest(charger)
        if session is None:
            return _error(400, _NO_STATIONS)
        self._tasks += 1
        result = await self._start(session, charger, connector, tag)
        return answer(200, {"taskId": self._tasks, "taskFinished": bool(result), **_EMPTY, **result})

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
        """Charger, token and connector, or None where the body is not valid."""
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
        until = clock() + self._patience
        try:
            pending = await session.send(*session.ocpp.start(tag, connector, 0))
        except Disconnected:
            return _exception(charger, f"No session context for chargeBoxId '{charger}'")
        done, _ = await asyncio.wait({pending}, timeout=self._patience)
        if not done:
            pending.cancel()
            return {}
        try:
            status = pending.result()["status"]
        except Disconnected:  # SteVe goes on waiting for a charge point whose socket has ended
            await asyncio.sleep(until - clock())
            return {}
        except CallFailed as failed:
            if failed.code in _ERROR_CODES:
                error = {"chargeBoxId": charger, "errorCode": failed.code, "errorDescription": None}
                return {"errorResponses": [{**error, "errorDetails": session.details}]}
            return await self._unread(session, charger)
        except OCPPError:
            return await self._unread(session, charger)
        return {"successResponses": [{"chargeBoxId": charger, "response": status}]}

    async def _unread(self, session: Socket, charger: str) -> dict[str, Any]:
        await session.websocket.close(_SERVER_ERROR)
        return _exception(charger, f"Deserialization of incoming string failed: {session.raw}")


class Socket(Session):
    """One WebSocket of a charge point. SteVe closes it after an answer that is late or that it cannot read.

    `raw` is the last answer as it came, `details` the JSON text of its errorDetails.
    """

    raw = ""
    details: str | None = None

    def follow(self, transactions: dict[int, str]) -> None:
        """Keeps the tag of each active transaction of this socket in `transactions`."""
        start, stop = self._handlers["StartTransaction"], self._handlers["StopTransaction"]

        async def started(payload: Payload) -> Payload:
            said = await start(payload)
            transactions[said["transactionId"]] = payload["idTag"]
            return said

        async def stopped(payload: Payload) -> Payload:
            transactions.pop(payload["transactionId"], None)
            return await stop(payload)

        self._handlers = {**self._handlers, "StartTransaction": started, "StopTransaction": stopped}

    async def send(self, action: str, payload: Payload) -> asyncio.Future[Payload]:
        """Sends a call as it is: from 38b299a149c6 on SteVe sends tokens for which OCPP 1.6 has no room."""
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
    """The charge points of one SteVe. Of several sockets of one charge point the newest gets the call.

    `transactions`: the tag of each active transaction, by its id.
    """

    def __init__(self, patience: float) -> None:
        super().__init__((), patience)
        self.transactions: dict[int, str] = {}
        self._sockets: dict[str, list[Socket]] = {}

    def newest(self, identity: str) -> Socket | None:
        """The newest open socket of a charge point whose identity is spelled so."""
        return next((one for one in reversed(self._sockets.get(identity, ())) if one.open), None)

    async def serve(
        self, websocket: ServerConnection, identity: str, on_started: Callable[[str, int, int, str], None]
    ) -> None:
        """Holds one socket until it ends; older ones of the same charge point stay open."""
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


def _is_over(connector: object) -> bool:
    return isinstance(connector, int) and connector > _LARGEST_INT


def _exception(charger: str, message: str) -> dict[str, Any]:
    return {"exceptions": [{"chargeBoxId": charger, "exceptionMessage": message}]}


def _page(status: int) -> Response:
    """One of Tomcat's own pages."""
    text = f"<!doctype html><html><body><h1>HTTP Status {status}</h1></body></html>"
    return Response(status, [("Content-Type", "text/html;charset=utf-8")], text.encode())


def _error(status: int, text: str) -> Response:
    stamp = datetime.now(UTC).isoformat()
    phrase = HTTPStatus(status).phrase
    return answer(
        status, {"timestamp": stamp, "status": status, "error": phrase, "message": text, "path": PATH}
    )


# For `python -m local`: the models that it can run, and whether its charge points have OCPP 1.6 alone.
MODELS = {"steve": Steve}
OCPP_16_ONLY = True

"""SteVe's REST API: credentials, routes, and which requests are declined before the charge point receives a call."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from local.server import Response
from local.simulators.serving import header, json_body, json_response
from local.simulators.steve.calls import call_station
from local.simulators.steve.responses import ApiError, not_understood, page
from local.simulators.steve.stations import Stations
from local.simulators.steve.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Chargers
    from local.csms.version import Call
    from local.server import Request
    from local.simulators.steve.stations import Socket

CONTEXT = "/steve"
API = f"{CONTEXT}/api/v1"
START = f"{API}/operations/RemoteStartTransaction"
STOP = f"{API}/operations/RemoteStopTransaction"
TRANSACTIONS = f"{API}/transactions"
NOT_ELIGIBLE = "BLOCKED"
"""A token that is registered and blocked. Every other token is active."""
_NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
_NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."
_NOT_ACTIVE = "This transaction is not active at this station."
_NO_USER = "The user does not exist, exists but is disabled or has API access disabled."
_UNREADABLE = "The request could not be read"
_LARGEST_INT = 0x7FFFFFFF
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
        self.transactions = Transactions()
        self.recorder = self.transactions
        self.database_down = False
        self._user = user
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._timeout = timeout
        self._tag = re.compile(rf"[a-zA-Z0-9.:_#-]{{1,{max_token_length}}}")
        self._one_transaction_a_tag = one_transaction_a_tag
        self._tasks = 0

    async def respond(self, request: Request) -> Response:
        path, _, query = request.target.partition("?")
        if not path.startswith(f"{CONTEXT}/"):
            return page(404)
        if not path.startswith(f"{API}/"):
            return page(403)
        try:
            if self._authorization and (redirect := self._redirect_or_reject(request)):
                return redirect
            match request.method, path:
                case "POST", operation if operation == START:
                    return await self._start(_read_object(request, "connectorId"))
                case "POST", operation if operation == STOP:
                    return await self._stop(_read_object(request, "transactionId"))
                case "GET", operation if operation == TRANSACTIONS:
                    if self.database_down:
                        raise ApiError(500, "The database failed")
                    return json_response(200, self.transactions.select(query))
        except ApiError as error:
            return error.respond(path)
        return page(403)

    async def _start(self, body: dict[str, Any]) -> Response:
        charger, tag, connector = _read_charger(body), body.get("idTag"), body.get("connectorId")
        if not isinstance(tag, str) or not self._tag.fullmatch(tag):
            raise not_understood()
        if not isinstance(connector, int | None) or (connector or 0) < 0:
            raise not_understood()
        if not self._is_eligible(tag):
            raise ApiError(400, _NO_TAG)
        socket = self._newest(charger)
        return await self._run_task(socket, charger, socket.ocpp.start(tag, connector or None, 0))

    async def _stop(self, body: dict[str, Any]) -> Response:
        charger, transaction = _read_charger(body), body.get("transactionId")
        if not isinstance(transaction, int) or isinstance(transaction, bool):
            raise not_understood()
        if self.database_down:
            raise ApiError(500, "The database failed")
        socket = self._newest(charger)
        if not self.transactions.is_active(charger, transaction):
            raise ApiError(400, _NOT_ACTIVE)
        return await self._run_task(socket, charger, socket.ocpp.stop(str(transaction)))

    async def _run_task(self, socket: Socket, charger: str, call: Call) -> Response:
        self._tasks += 1
        task = self._tasks
        result = await call_station(socket, charger, call, self._timeout)
        return json_response(200, {"taskId": task, "taskFinished": bool(result), **_EMPTY, **result})

    def _newest(self, charger: str) -> Socket:
        socket = self.stations.newest(charger)
        if socket is None:
            raise ApiError(400, _NO_STATIONS)
        return socket

    def _is_eligible(self, tag: str) -> bool:
        if self.database_down or tag == NOT_ELIGIBLE:
            return False
        return not (self._one_transaction_a_tag and self.transactions.is_in_use(tag))

    def _redirect_or_reject(self, request: Request) -> Response | None:
        given = header(request, "authorization")
        if not given:
            location = f"http://{header(request, 'host')}{CONTEXT}/manager/signin;jsessionid=0"
            return Response(302, [("Location", location)])
        if given == self._authorization:
            return None
        known = given.startswith("Basic ") and _user_of(self._authorization) == _user_of(given)
        raise ApiError(401, "Invalid password" if known else _NO_USER)


def _read_object(request: Request, number: str) -> dict[str, Any]:
    """Return the body, in which the member `number` fits into SteVe's integer. Raises ApiError."""
    body = json_body(request)
    if not isinstance(body, dict):
        raise ApiError(500, _UNREADABLE)
    value = body.get(number)
    if isinstance(value, int) and value > _LARGEST_INT:
        raise ApiError(500, _UNREADABLE)
    return body


def _read_charger(body: dict[str, Any]) -> str:
    match body.get("chargeBoxIdList"):
        case [str(charger)]:
            return charger
    raise not_understood()


def _user_of(authorization: str) -> bytes:
    try:
        return b64decode(authorization.removeprefix("Basic ")).partition(b":")[0]
    except ValueError:
        return b""

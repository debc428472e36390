"""A simulator of CitrineOS.

It responds to a start or a stop at once: the call is published. It sends the charge point's answer later, in a POST to the
callback URL.
"""

from __future__ import annotations

import asyncio
import json
import logging
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from ocpp.exceptions import OCPPError

from local.csms.recorder import NoRecords
from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected, now
from local.simulators.serving import header, json_body, json_response, new_chargers, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Session
    from local.csms.version import Begin, End
    from local.server import Request, Response

_ACTIONS = {
    "/ocpp/1.6/evdriver/remoteStartTransaction": ("1.6", "RemoteStartTransaction"),
    "/ocpp/2.0.1/evdriver/requestStartTransaction": ("2.0.1", "RequestStartTransaction"),
    "/ocpp/1.6/evdriver/remoteStopTransaction": ("1.6", "RemoteStopTransaction"),
    "/ocpp/2.0.1/evdriver/requestStopTransaction": ("2.0.1", "RequestStopTransaction"),
}
_TRANSACTION = "/data/transactions/transaction"
CIRCUIT_BREAKER = "Circuit breaker is CLOSED. Cannot send message."
_MAX_TAG_LENGTH = 20
_MAX_TOKEN_LENGTH = 36
_POST_SECONDS = 5.0
_log = logging.getLogger(__name__)


class CitrineOS:
    """The REST API and the charge points of one process.

    `callback_urls` are those of the published calls, in order. Unless `calls_back`, no callback is sent. `broker_error` is the
    text of the error that CitrineOS raises while its message broker is down, and afterwards until CitrineOS restarts. While
    `congested`, CitrineOS queues a call and responds with `false`.
    """

    subprotocols: Sequence[str] = SUBPROTOCOLS

    def __init__(self, bearer: str = "", callback_seconds: float = 30.0) -> None:
        """An empty `bearer`: no credentials are required. `callback_seconds`: how long a callback URL is kept."""
        self.chargers = new_chargers()
        self.recorder = Transactions()
        self.bearer = bearer
        self.callback_urls: list[str] = []
        self.calls_back = True
        self.broker_error = ""
        self.congested = False
        self._callback_seconds = callback_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def respond(self, request: Request) -> Response:
        if self.bearer and header(request, "authorization") != f"Bearer {self.bearer}":
            return json_response(401, {"message": "Unauthorized"})
        url = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if (request.method, url.path) == ("GET", _TRANSACTION):
            return self._read_transaction(query)
        if request.method != "POST" or url.path not in _ACTIONS:
            return json_response(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"})
        version, action = _ACTIONS[url.path]
        payload = json_body(request)
        if "identifier" not in query or not _valid(action, payload):
            return _invalid("body")
        identifier = f"{query.get('tenantId', '1')}:{query['identifier']}"
        session = session_of(self.chargers, query["identifier"])
        if session is None:
            return _declined(f"No connection found for identifier: {identifier}")
        if session.version != version:
            return _declined(
                f"Requested protocol: 'ocpp{version}', connection protocol: 'ocpp{session.version}' "
                f"for identifier: '{identifier}'"
            )
        if self.broker_error:
            return _broker_failed(version, self.broker_error)
        callback_url = query.get("callbackUrl", "")
        self.callback_urls.append(callback_url)
        task = asyncio.create_task(self._execute(session, action, payload, callback_url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return json_response(200, [{"success": not self.congested}])

    def _read_transaction(self, query: dict[str, str]) -> Response:
        if not query.keys() >= {"stationId", "transactionId"}:
            return _invalid("querystring")
        found = self.recorder.rows.get((query["stationId"], query["transactionId"]))
        return json_response(200, found)

    async def _execute(self, session: Session, action: str, payload: Any, url: str) -> None:
        until = asyncio.get_running_loop().time() + self._callback_seconds
        try:
            if not await session.acquire_turn():
                return
            body: Any = await (await session.send_in_turn((action, payload)))
        except CallFailed as failed:
            body = {"_messageId": str(uuid4()), "_errorCode": failed.code, "_errorDetails": {}}
            body["name"] = "OcppError"
        except (Disconnected, OCPPError):
            return
        if url and self.calls_back and asyncio.get_running_loop().time() < until:
            await asyncio.to_thread(_post, url, body)


class Transactions:
    """What CitrineOS records of transactions, by station and id: the recorder of the charge points' reports."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self._numbers = NoRecords()

    def booted(self, charger: str) -> None: ...

    def began(self, charger: str, begin: Begin) -> str:
        """Record a transaction, and return its id. Only the first message of OCPP 2.0.1 names the remoteStartId."""
        id_ = begin.id or self._numbers.began(charger, begin)
        row = self.rows.setdefault((charger, id_), _new_row(charger, id_, begin.at))
        row["updatedAt"] = now()
        if begin.remote_start_id is not None:
            row["remoteStartId"] = begin.remote_start_id
        return id_

    def ended(self, charger: str, end: End) -> None:
        """Record that a transaction has ended."""
        if row := self.rows.get((charger, end.id)):
            row |= {"isActive": False, "stoppedReason": end.reason, "endTime": end.at, "updatedAt": now()}


def _new_row(charger: str, id_: str, started: str) -> dict[str, Any]:
    return {
        "stationId": charger,
        "transactionId": id_,
        "isActive": True,
        "remoteStartId": None,
        "stoppedReason": None,
        "startTime": started,
        "endTime": None,
    }


def _valid(action: str, payload: Any) -> bool:
    if not isinstance(payload, dict):
        return False
    if action == "RemoteStopTransaction":
        return isinstance(payload.get("transactionId"), int)
    if action == "RequestStopTransaction":
        return isinstance(payload.get("transactionId"), str)
    if action == "RemoteStartTransaction":
        tag = payload.get("idTag")
        return isinstance(tag, str) and len(tag) <= _MAX_TAG_LENGTH
    token = payload.get("idToken")
    return (
        isinstance(token, dict)
        and isinstance(token.get("idToken"), str)
        and len(token["idToken"]) <= _MAX_TOKEN_LENGTH
        and isinstance(token.get("type"), str)
        and isinstance(payload.get("remoteStartId"), int)
    )


def _invalid(part: str) -> Response:
    return json_response(
        400,
        {
            "statusCode": 400,
            "code": "FST_ERR_VALIDATION",
            "error": "Bad Request",
            "message": f"{part} does not match the schema",
        },
    )


def _declined(why: str) -> Response:
    return json_response(200, [{"success": False, "payload": why}])


def _broker_failed(version: str, error: str) -> Response:
    # Only the module of 2.0.1 catches the error. Both modules return the circuit breaker's text.
    if version == "1.6" and error != CIRCUIT_BREAKER:
        return json_response(500, {"statusCode": 500, "error": "Internal Server Error", "message": error})
    return _declined(error)


def _post(url: str, body: Any) -> None:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=_POST_SECONDS)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
        connection.getresponse().read()
    except (OSError, HTTPException):
        _log.warning("a callback could not be delivered")
    finally:
        connection.close()


# What `python -m local.simulators` can run, by name; the dialect's own name is the one that `make run` starts.
MODELS = {"citrineos": CitrineOS}

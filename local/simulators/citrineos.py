"""A simulator of CitrineOS.

It responds to a start at once: the start is published. It sends the charge point's answer later, in a POST to the callback URL.
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

from local.ocppj import SUBPROTOCOLS, CallFailed, Disconnected
from local.simulators.serving import header, json_body, json_response, new_chargers, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Session
    from local.server import Request, Response

_ACTIONS = {
    "/ocpp/1.6/evdriver/remoteStartTransaction": ("1.6", "RemoteStartTransaction"),
    "/ocpp/2.0.1/evdriver/requestStartTransaction": ("2.0.1", "RequestStartTransaction"),
}
CIRCUIT_BREAKER = "Circuit breaker is CLOSED. Cannot send message."
_MAX_TAG_LENGTH = 20
_MAX_TOKEN_LENGTH = 36
_POST_SECONDS = 5.0
_log = logging.getLogger(__name__)


class CitrineOS:
    """The REST API and the charge points of one process.

    `callback_urls` are those of the published starts, in order. Unless `calls_back`, no callback is sent. `broker_error` is the
    text of the error that CitrineOS raises while its message broker is down, and afterwards until CitrineOS restarts. While
    `congested`, CitrineOS queues a start and responds with `false`.
    """

    subprotocols: Sequence[str] = SUBPROTOCOLS

    def __init__(self, bearer: str = "", callback_seconds: float = 30.0) -> None:
        """An empty `bearer`: no credentials are required. `callback_seconds`: how long a callback URL is kept."""
        self.chargers = new_chargers()
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
        if request.method != "POST" or url.path not in _ACTIONS:
            return json_response(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"})
        version, action = _ACTIONS[url.path]
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        payload = json_body(request)
        if "identifier" not in query or not _valid(version, payload):
            return json_response(
                400,
                {
                    "statusCode": 400,
                    "code": "FST_ERR_VALIDATION",
                    "error": "Bad Request",
                    "message": "body does not match the schema",
                },
            )
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


def _valid(version: str, payload: Any) -> bool:
    if not isinstance(payload, dict):
        return False
    if version == "1.6":
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

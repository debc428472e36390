"""The native dialect over HTTP, as `docs/native-link.openapi.yaml` describes it."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from local.csms.connections import ChargerUnknown, Connections, NoResult, NotSent, Start, StatusUnknown
from local.csms.store import Mismatch, Stopped
from local.csms.transactions import ConnectionUnknown, NoStopResult, StopNotSent, Transactions
from local.server import Request, Response

if TYPE_CHECKING:
    from local.csms.results import Result
    from local.csms.transactions import Connection

BODY_LIMIT = 65_536
DEFAULT_WAIT = 20.0
MAX_WAIT = 300.0
RETRY_SECONDS = 5
logger = logging.getLogger(__name__)
_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?', re.IGNORECASE)

_TOKEN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,36}")

_PROBLEMS = {
    Mismatch: (409, "id-reused", "This id is recorded with another token or for another charger."),
    Stopped: (
        409,
        "id-stopped",
        "This id was stopped. Nothing was sent for this request, and nothing will be.",
    ),
    ConnectionUnknown: (
        404,
        "connection-unknown",
        "No start with this id has arrived for this charger. One may still arrive.",
    ),
    StopNotSent: (
        503,
        "stop-not-sent",
        "The charger was busy with another call for the whole wait, so the stop was not sent. The request can be repeated safely.",
    ),
    NoStopResult: (
        504,
        "no-answer",
        "The charger's answer to the stop is not known. The request can be repeated safely.",
    ),
    ChargerUnknown: (404, "charger-unknown", "This server has never known a charger of this identity."),
    NotSent: (
        503,
        "not-sent",
        "The call could not be sent to the charger within the wait. Nothing was sent, and nothing will be.",
    ),
    NoResult: (
        504,
        "no-answer",
        "The start was sent, and the charger's answer is not known. A charge may start.",
    ),
    StatusUnknown: (
        504,
        "status-unknown",
        "The charger is connected and has reported no status. Nothing was started.",
    ),
}
_TITLES = {
    "id-reused": "Id used for another start",
    "id-stopped": "Id stopped",
    "charger-unknown": "Charger unknown",
    "connection-unknown": "Connection unknown",
    "not-sent": "Nothing was sent",
    "stop-not-sent": "The stop was not sent",
    "no-answer": "No answer from the charger",
    "status-unknown": "Status unknown",
    "invalid-request": "Invalid request",
    "unauthorized": "Credentials missing or wrong",
    "no-such-resource": "No such resource",
    "method-not-allowed": "Method not allowed",
    "body-too-large": "Body too large",
    "internal-error": "Internal error",
}


class ProblemError(Exception):
    """A request that is not executed. The arguments are those of `problem`."""

    def __init__(self, status: int, slug: str, detail: str, *headers: tuple[str, str]) -> None:
        super().__init__(slug)
        self.response = problem(status, slug, detail, *headers)


class Native:
    """The HTTP handler. `authorization` is the required value of the header, or None."""

    def __init__(
        self, connections: Connections, transactions: Transactions, authorization: str | None
    ) -> None:
        self._connections = connections
        self._transactions = transactions
        self._authorization = authorization

    async def respond(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except ProblemError as error:
            return error.response
        except tuple(_PROBLEMS) as error:
            status, slug, detail = _PROBLEMS[type(error)]
            retry = [("Retry-After", str(RETRY_SECONDS))] if status == 503 else []
            return problem(status, slug, detail, *retry)
        except Exception:
            logger.exception("a request failed")
            return problem(
                500, "internal-error", "The server failed. It is not known whether anything was sent."
            )

    async def _respond(self, request: Request) -> Response:
        headers: dict[str, str] = {}
        for name, value in request.headers:
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        if self._authorization is not None and headers.get("authorization") != self._authorization:
            raise ProblemError(
                401, "unauthorized", "Authorization does not match.", ("WWW-Authenticate", "Bearer")
            )
        target = urlsplit(request.target)
        match _segments(target.path):
            case ["api", "v1", "chargers", charger] if charger:
                _require_method(request, "GET")
                connector = _connector_of_query(target.query)
                return _ok(await self._connections.status(charger, connector, _wait(headers)))
            case ["api", "v1", "chargers", charger, "connections", id] if charger:
                _require_method(request, "PUT", "GET", "DELETE")
                return await self._respond_to_connection(request, charger, _uuid(id), _wait(headers))
        raise ProblemError(404, "no-such-resource", "This server has no resource at this path.")

    async def _respond_to_connection(self, request: Request, charger: str, id_: str, wait: float) -> Response:
        if request.method == "GET":
            return _json(_describe(self._transactions.find(charger, id_)))
        if request.method == "DELETE":
            connection, stop = await self._transactions.stop(charger, id_, wait)
            return _json(_describe(connection) | {"stop": asdict(stop)})
        start = Start(id_, charger, *_token_and_connector(request.body))
        return _ok(await self._connections.connect(start, wait))


def problem(status: int, slug: str, detail: str, *headers: tuple[str, str]) -> Response:
    """Return a problem document (RFC 9457). `slug` is the last segment of its type."""
    body = {"type": f"/problems/{slug}", "title": _TITLES[slug], "status": status, "detail": detail}
    return Response(
        status, [("Content-Type", "application/problem+json"), *headers], json.dumps(body).encode()
    )


def _ok(result: Result) -> Response:
    return _json(asdict(result))


def _json(body: dict[str, Any]) -> Response:
    return Response(200, [("Content-Type", "application/json")], json.dumps(body).encode())


def _describe(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "chargerId": connection.charger,
        "state": connection.state,
        "cancelled": connection.cancelled,
        "result": asdict(connection.result) if connection.result else None,
        "transactions": [
            {
                "id": charge.id,
                "connectorId": charge.connector,
                "startedAt": charge.started,
                "stoppedAt": charge.stopped,
            }
            for charge in connection.charges
        ],
    }


def _segments(path: str) -> list[str]:
    try:
        return [unquote(segment, errors="strict") for segment in path.removeprefix("/").split("/")]
    except UnicodeDecodeError:
        raise ProblemError(400, "invalid-request", "The path is not percent-encoded UTF-8.") from None


def _require_method(request: Request, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise ProblemError(405, "method-not-allowed", f"Allowed here: {allowed}.", ("Allow", allowed))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ProblemError(400, "invalid-request", "The connection's id is not a UUID.") from None


def _wait(headers: dict[str, str]) -> float:
    """Return the seconds to wait, from `Prefer: wait=20` (RFC 7240), else the default."""
    for preference in headers.get("prefer", "").split(","):
        if found := _WAIT.fullmatch(preference):
            return min(float(found[1]), MAX_WAIT)
    return DEFAULT_WAIT


def _token_and_connector(body: bytes) -> tuple[str, int | None]:
    if len(body) > BODY_LIMIT:
        raise ProblemError(413, "body-too-large", f"The body is over {BODY_LIMIT} bytes.")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ProblemError(400, "invalid-request", "The body is not a JSON object.")
    token = fields.get("tokenId")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ProblemError(
            400,
            "invalid-request",
            "tokenId is not a string of 1 to 36 characters without control characters.",
        )
    return token, _connector(fields.get("connectorId"))


def _connector(value: Any) -> int | None:
    if value is None or (
        isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 0x7FFF_FFFF
    ):
        return value
    raise ProblemError(400, "invalid-request", "connectorId is not an integer of at least 1.")


def _connector_of_query(query: str) -> int | None:
    values = parse_qs(query).get("connectorId", [])
    if not values:
        return None
    text = values[0]
    return _connector(int(text) if text.isascii() and text.isdigit() and len(text) < 11 else text)

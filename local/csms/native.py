"""The native dialect over HTTP, as `docs/native-link.openapi.yaml` describes it."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from local.csms.connections import ChargerUnknown, Connections, NoAnswer, NotSent, Start, StatusUnknown
from local.csms.store import Mismatch
from local.server import Request, Response

if TYPE_CHECKING:
    from local.csms.answer import Answer

BODY_LIMIT = 65_536
DEFAULT_WAIT = 20.0
LONGEST_WAIT = 300.0
RETRY_SECONDS = 5
logger = logging.getLogger(__name__)
_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;.*)?', re.IGNORECASE)

_TOKEN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,36}")

_PROBLEMS = {
    Mismatch: (409, "id-reused", "This id is recorded with another token or for another charger."),
    ChargerUnknown: (404, "charger-unknown", "No charger of this identity is known here."),
    NotSent: (
        503,
        "not-sent",
        "The charger could not be asked within the wait. Nothing was sent, and nothing will be.",
    ),
    NoAnswer: (504, "no-answer", "The start was sent and the charger's answer is not known. It may start."),
    StatusUnknown: (
        504,
        "status-unknown",
        "The charger is connected and has told no status. Nothing was started.",
    ),
}
_TITLES = {
    "id-reused": "Id used for something else",
    "charger-unknown": "Charger unknown",
    "not-sent": "Nothing was sent",
    "no-answer": "No answer from the charger",
    "status-unknown": "Status unknown",
    "invalid-request": "Invalid request",
    "unauthorized": "Credentials missing or wrong",
    "no-such-resource": "No such resource",
    "method-not-allowed": "Method not allowed",
    "body-too-large": "Body too large",
    "internal-error": "Internal error",
}


class Refused(Exception):
    """A request that is not carried out; the arguments are those of `problem`."""

    def __init__(self, status: int, slug: str, detail: str, *headers: tuple[str, str]) -> None:
        super().__init__(slug)
        self.response = problem(status, slug, detail, *headers)


class Native:
    """Answers HTTP requests from `connections`; `authorization` is the header's required value, if any is."""

    def __init__(self, connections: Connections, authorization: str | None) -> None:
        self._connections = connections
        self._authorization = authorization

    async def respond(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except Refused as refused:
            return refused.response
        except tuple(_PROBLEMS) as error:
            status, slug, detail = _PROBLEMS[type(error)]
            retry = [("Retry-After", str(RETRY_SECONDS))] if status == 503 else []
            return problem(status, slug, detail, *retry)
        except Exception:
            logger.exception("a request could not be answered")
            return problem(
                500, "internal-error", "Something is wrong here. Whether anything was sent is not known."
            )

    async def _respond(self, request: Request) -> Response:
        headers: dict[str, str] = {}
        for name, value in request.headers:
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        if self._authorization is not None and headers.get("authorization") != self._authorization:
            raise Refused(
                401, "unauthorized", "Authorization does not match.", ("WWW-Authenticate", "Bearer")
            )
        target = urlsplit(request.target)
        match _segments(target.path):
            case ["api", "v1", "chargers", charger] if charger:
                _only("GET", request)
                connector = _connector_of_query(target.query)
                return _ok(await self._connections.status(charger, connector, _wait(headers)))
            case ["api", "v1", "chargers", charger, "connections", id] if charger:
                _only("PUT", request)
                start = Start(_uuid(id), charger, *_token_and_connector(request.body))
                return _ok(await self._connections.connect(start, _wait(headers)))
        raise Refused(404, "no-such-resource", "There is nothing at this path.")


def problem(status: int, slug: str, detail: str, *headers: tuple[str, str]) -> Response:
    """A problem document (RFC 9457); `slug` ends its type."""
    body = {"type": f"/problems/{slug}", "title": _TITLES[slug], "status": status, "detail": detail}
    return Response(
        status, [("Content-Type", "application/problem+json"), *headers], json.dumps(body).encode()
    )


def _ok(answer: Answer) -> Response:
    return Response(200, [("Content-Type", "application/json")], json.dumps(asdict(answer)).encode())


def _segments(path: str) -> list[str]:
    try:
        return [unquote(segment, errors="strict") for segment in path.removeprefix("/").split("/")]
    except UnicodeDecodeError:
        raise Refused(400, "invalid-request", "The path is not percent-encoded UTF-8.") from None


def _only(method: str, request: Request) -> None:
    if request.method != method:
        raise Refused(405, "method-not-allowed", f"Only {method} is.", ("Allow", method))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused(400, "invalid-request", "The connection's id is not a UUID.") from None


def _wait(headers: dict[str, str]) -> float:
    """Seconds to wait, from `Prefer: wait=20` (RFC 7240), else the default."""
    for preference in headers.get("prefer", "").split(","):
        if found := _WAIT.fullmatch(preference):
            return min(float(found[1]), LONGEST_WAIT)
    return DEFAULT_WAIT


def _token_and_connector(body: bytes) -> tuple[str, int | None]:
    if len(body) > BODY_LIMIT:
        raise Refused(413, "body-too-large", f"The body is over {BODY_LIMIT} bytes.")
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise Refused(400, "invalid-request", "The body is not a JSON object.")
    token = members.get("tokenId")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Refused(400, "invalid-request", "tokenId is not a text of 1 to 36 characters without controls.")
    return token, _connector(members.get("connectorId"))


def _connector(value: Any) -> int | None:
    if value is None or (
        isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 0x7FFF_FFFF
    ):
        return value
    raise Refused(400, "invalid-request", "connectorId is not an integer from 1 up.")


def _connector_of_query(query: str) -> int | None:
    values = parse_qs(query).get("connectorId", [])
    if not values:
        return None
    text = values[0]
    return _connector(int(text) if text.isascii() and text.isdigit() and len(text) < 11 else text)

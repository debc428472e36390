"""From an event to one attempt, or to a page of a charger's attempts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from attempts.view import mark, shown, unmark
from common.edge import guarded
from common.journal import JournalUnavailable
from common.transport import Deadline
from common.wire import FieldError, MediaType, Problem, ProblemError, make_problem, write_response
from common.wire.problems import invalid_request
from common.wire.values import read_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attempts.service import Service
    from common.edge import Context

_log = Logger(utc=True)
_PATIENCE = 10.0  # seconds; a page is one query and one batch
_TO_ANSWER = 0.5
_LIMIT, _MOST = 20, 100
_LONGEST_CHARGER = 255


def _internal_error(_event: Mapping[str, Any]) -> dict[str, Any]:
    return _refusal(
        make_problem("internal-error", "The service failed, and could not read the journal. Try again."), {}
    )


@guarded(_internal_error)
def respond(event: Mapping[str, Any], context: Context, service: Service) -> dict[str, Any]:
    """Answer one HTTP API event (payload 2.0) with a proxy response, always in JSON."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _TO_ANSWER).within(_PATIENCE)
    try:
        return _answer(
            200, json.dumps(_ROUTES[event["routeKey"]](event, service, deadline)), "application/json"
        )
    except ProblemError as refused:
        return _refusal(refused.problem, refused.headers)
    except JournalUnavailable as error:
        _log.error("journal failed", extra={"step": "read", "reason": error.reason})
        detail = "The journal cannot be read now. Try again."
        # Nothing is known about the attempt that was to be read: never "not-started".
        return _refusal(make_problem("journal-unavailable", detail, outcome="unknown"), {"Retry-After": "1"})


def _one(event: Mapping[str, Any], service: Service, deadline: Deadline) -> dict[str, Any]:
    given = event["pathParameters"]["id"]
    try:
        id_ = str(read_guid(given))
    except ValueError as error:
        raise invalid_request(FieldError("id", str(error))) from None
    attempt = service.journal.get(id_, deadline)
    if attempt is None:
        detail = "No attempt with this id is known: it was never accepted, or it is older than the journal's retention."
        raise ProblemError(make_problem("attempt-unknown", detail))
    return shown(attempt, time.time())


def _page(event: Mapping[str, Any], service: Service, deadline: Deadline) -> dict[str, Any]:
    charger_id = event["pathParameters"]["chargerId"]
    if not 1 <= len(charger_id) <= _LONGEST_CHARGER:
        raise invalid_request(FieldError("chargerId", f"must be 1 to {_LONGEST_CHARGER} characters long"))
    query = event.get("queryStringParameters") or {}
    start = None
    if query.get("next"):
        try:
            start = unmark(query["next"], charger_id)
        except ValueError as error:
            raise invalid_request(FieldError("next", "must be sent back as the last page gave it")) from error
    page = service.journal.newest(charger_id, _limit(query.get("limit")), start, deadline)
    now = time.time()
    return {"attempts": [shown(attempt, now) for attempt in page.attempts], "next": mark(page.next)}


_ROUTES: dict[str, Callable[[Mapping[str, Any], Service, Deadline], dict[str, Any]]] = {
    "GET /api/v1/ocpp/charger-connect/{id}": _one,
    "GET /api/v1/ocpp/chargers/{chargerId}/attempts": _page,
}


def _limit(text: str | None) -> int:
    if not text:
        return _LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _MOST):
        raise invalid_request(FieldError("limit", f"must be a whole number from 1 to {_MOST}"))
    return int(text)


def _refusal(found: Problem, headers: Mapping[str, str]) -> dict[str, Any]:
    content_type, body = write_response(found, MediaType.JSON)
    return _answer(found.status, body, content_type, headers)


def _answer(
    status: int, body: str, content_type: str, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": content_type, **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }

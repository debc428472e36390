"""Read one attempt, a page of a charger's attempts or of all unknown ones, or resolve one; always as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attempts.cursor import decode_cursor, decode_unfinished_cursor, encode_cursor
from attempts.resolution import read_resolution, resolve
from attempts.unknown import read_unknown
from attempts.view import to_json
from common.edge.attempt_id import attempt_unknown, read_id
from common.edge.call import Call
from common.edge.guard import guarded
from common.edge.journal_access import journal_failures, journal_unavailable
from common.edge.paths import ATTEMPT, CHARGER_ATTEMPTS, RESOLUTION, UNKNOWN_ATTEMPTS
from common.edge.replies import Reply, internal_error, proxy_response
from common.edge.routing import dispatch
from common.journal import JournalUnavailable
from common.wire import FieldError, ProblemError
from common.wire.problems import invalid_request

if TYPE_CHECKING:
    from common.edge.lambda_types import Context, Event, Response
    from common.journal import Attempt, Journal
    from common.transport import Deadline

_TIMEOUT = 10.0  # seconds; a page is one query and one batch
_DEFAULT_LIMIT, _MAX_LIMIT = 20, 100
_MAX_CHARGER_LENGTH = 255


@guarded(internal_error("The service failed and could not read the journal. Send the request again."))
def respond(event: Event, context: Context, journal: Journal) -> Response:
    """Return the proxy response to one event of the HTTP API."""
    call = Call.of(event, context)
    try:
        reply = dispatch(call, _ROUTES, journal)
    except JournalUnavailable as error:
        # The requested attempt may have started a charge, so the outcome is never "not-started".
        detail = "The journal cannot be read now. Send the request again."
        reply = journal_unavailable(error, "read", detail)
    return proxy_response(reply)


def failures(journal: Journal) -> list[str]:
    """Return what this version cannot reach."""
    return journal_failures(journal, ("GetItem", "Query", "BatchGetItem", "UpdateItem"))


def _read_attempt(call: Call, journal: Journal) -> Reply:
    attempt = _find(read_id(call), journal, call.deadline.within(_TIMEOUT))
    return Reply(to_json(attempt, time.time()))


def _resolve_attempt(call: Call, journal: Journal) -> Reply:
    id_ = read_id(call)
    outcome, note = read_resolution(call.body)
    deadline = call.deadline.within(_TIMEOUT)
    attempt = _find(id_, journal, deadline)
    resolved = resolve(attempt, outcome, note, call.caller, journal, time.time(), deadline)
    return Reply(to_json(resolved, time.time()))


def _find(id_: str, journal: Journal, deadline: Deadline) -> Attempt:
    attempt = journal.get(id_, deadline)
    if attempt is None:
        raise attempt_unknown()
    return attempt


def _list_attempts(call: Call, journal: Journal) -> Reply:
    charger_id = call.path_parameters["chargerId"]
    if not 1 <= len(charger_id) <= _MAX_CHARGER_LENGTH:
        raise invalid_request(FieldError("chargerId", f"must be 1 to {_MAX_CHARGER_LENGTH} characters long"))
    start = None
    if cursor := call.query.get("next"):
        try:
            start = decode_cursor(cursor, charger_id)
        except ValueError as error:
            raise _wrong_cursor() from error
    page = journal.newest(charger_id, _limit(call.query.get("limit")), start, call.deadline.within(_TIMEOUT))
    now = time.time()
    return Reply(
        {"attempts": [to_json(attempt, now) for attempt in page.attempts], "next": encode_cursor(page.next)}
    )


def _list_unknown(call: Call, journal: Journal) -> Reply:
    if call.query.get("state") != "unknown":
        raise invalid_request(FieldError("state", "must be unknown"))
    shard, start = None, None
    if cursor := call.query.get("next"):
        try:
            shard, start = decode_unfinished_cursor(cursor)
        except ValueError as error:
            raise _wrong_cursor() from error
    now, limit = time.time(), _limit(call.query.get("limit"))
    attempts, following = read_unknown(journal, shard, start, limit, now, call.deadline.within(_TIMEOUT))
    return Reply({"attempts": [to_json(attempt, now) for attempt in attempts], "next": following})


_ROUTES = {
    f"GET {ATTEMPT}": _read_attempt,
    f"PUT {RESOLUTION}": _resolve_attempt,
    f"GET {CHARGER_ATTEMPTS}": _list_attempts,
    f"GET {UNKNOWN_ATTEMPTS}": _list_unknown,
}


def _wrong_cursor() -> ProblemError:
    return invalid_request(FieldError("next", "must be the `next` of the previous page"))


def _limit(text: str | None) -> int:
    if not text:
        return _DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _MAX_LIMIT):
        raise invalid_request(FieldError("limit", f"must be a whole number from 1 to {_MAX_LIMIT}"))
    return int(text)

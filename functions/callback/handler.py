"""Record the charger's answer that an OCPP server sends after a start or a stop.

The route has no authorizer: its signed path is the credential.
Every path that is not valid receives the same 404, and changes nothing.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from callback.stops import record_stop
from charger_link import Outcome, OutcomeUnknown
from charger_link.dialects import registry
from common.edge.call import Call
from common.edge.guard import guarded
from common.edge.journal_access import journal_failures, journal_unavailable
from common.edge.paths import CALLBACK
from common.edge.replies import Reply, internal_error, proxy_response
from common.edge.routing import dispatch
from common.journal import JournalUnavailable, State, callbacks
from common.wire import MAX_BODY_BYTES, ProblemError, make_problem
from common.wire.problems import invalid_body
from common.wire.values import read_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback.service import Service
    from charger_link import Answer
    from charger_link.dialects.dialect import Dialect
    from common.edge.lambda_types import Context, Event, Response
    from common.journal import Attempt
    from common.transport import Deadline

    ReadCallback = Callable[[Any, int | None], Answer]

_log = Logger(utc=True)
_TIMEOUT = 10.0  # seconds; one read and one write


@guarded(
    internal_error("The service failed and may not have recorded the callback. Send the callback again.")
)
def respond(event: Event, context: Context, service: Service) -> Response:
    """Return the proxy response to one event of the HTTP API: 204 for every valid callback, even if it changed nothing."""
    call = Call.of(event, context)
    try:
        reply = dispatch(call, _ROUTES, service)
    except JournalUnavailable as error:
        detail = "The callback cannot be recorded now. Send the callback again."
        reply = journal_unavailable(error, "callback", detail)
    return proxy_response(reply)


def failures(service: Service) -> list[str]:
    """Return what this version cannot reach."""
    return journal_failures(service.journal, ("GetItem", "UpdateItem"))


def _take_callback(call: Call, service: Service) -> Reply:
    deadline = call.deadline.within(_TIMEOUT)
    attempt, dialect = _find_attempt(call, service, deadline)
    expires, signature = call.path_parameters["expires"], call.path_parameters["signature"]
    if call.query.get(callbacks.PURPOSE) == callbacks.STOP:
        if dialect.read_stop_callback is None:
            raise _not_valid("attempt")
        if not callbacks.is_stop_signed(service.secret, attempt, expires, signature):
            raise _not_valid("signature")
        record_stop(attempt, dialect.read_stop_callback, _parse(call.body), service.journal, deadline)
        return Reply(None)
    if dialect.read_callback is None:
        raise _not_valid("attempt")
    key_signature = call.query.get(callbacks.KEY_SIGNATURE, "")
    if not callbacks.is_signed(service.secret, attempt, expires, signature, key_signature):
        raise _not_valid("signature")
    _record(attempt, dialect.read_callback, _parse(call.body), service, deadline)
    return Reply(None)


_ROUTES = {f"POST {CALLBACK}": _take_callback}


def _find_attempt(call: Call, service: Service, deadline: Deadline) -> tuple[Attempt, Dialect]:
    """Return the attempt that the path names, and its dialect. The path's signature is not verified here.

    Raises
    ------
    ProblemError
        404: the path is not valid.
    """
    parameters = call.path_parameters
    expires, now = parameters["expires"], time.time()
    try:
        id_ = str(read_guid(parameters["id"]))
    except ValueError:
        raise _not_valid("id") from None
    if callbacks.is_expired(expires, now):
        raise _not_valid("expiry")
    attempt = service.journal.get(id_, deadline)
    dialect = registry.find(attempt.dialect) if attempt else None
    if attempt is None or dialect is None:
        raise _not_valid("attempt")
    return attempt, dialect


def _record(
    attempt: Attempt, read_callback: ReadCallback, body: Any, service: Service, deadline: Deadline
) -> None:
    about = {"id": attempt.id, "chargerId": attempt.chargerId, "server": attempt.server}
    try:
        answer = read_callback(body, attempt.connectorId)
    except OutcomeUnknown as error:
        _log.warning("callback without an answer", extra={**about, "kind": error.kind})
        if error.kind == "call-error":  # no other callback follows: the waiting invocation can stop waiting
            problem = {"type": "outcome-unknown", "detail": error.detail}
            service.journal.note_problem(attempt, problem, deadline)
        return
    started = answer.outcome is Outcome.ACCEPTED
    changed = service.journal.complete_late(
        attempt, answer.record(), deadline, started=started, transaction=answer.transaction
    )
    if changed and attempt.state is State.FAILED:  # its caller received that nothing was started
        _log.error("started after all", extra={**about, "tries": attempt.tries})
    _log.info(
        "called back" if changed else "called back again",
        extra={**about, "outcome": str(answer.outcome), "tries": attempt.tries},
    )


def _parse(body: bytes) -> Any:
    if len(body) > MAX_BODY_BYTES:
        raise ProblemError(make_problem("body-too-large", f"The body is over {MAX_BODY_BYTES} bytes."))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise invalid_body("is not JSON") from None


def _not_valid(reason: str) -> ProblemError:
    _log.warning("callback refused", extra={"reason": reason})
    return ProblemError(make_problem("attempt-unknown", "No attempt waits for this callback."))

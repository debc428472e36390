"""Record the charger's answer that an OCPP server sends after the start.

The route has no authorizer: its signed path is the credential.
Every path that is not valid receives the same 404, and changes nothing.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from callback.record import about_attempt, record_answer
from callback.stops import record_stop
from charger_link import OutcomeUnknown
from charger_link.dialects import registry
from common.edge.call import Call
from common.edge.guard import guarded
from common.edge.journal_access import journal_failures, journal_unavailable
from common.edge.json_document import read_json
from common.edge.metrics import Record
from common.edge.paths import CALLBACK
from common.edge.replies import Reply, internal_error, proxy_response
from common.edge.routing import dispatch
from common.journal import JournalUnavailable, callbacks
from common.wire import ProblemError, make_problem
from common.wire.values import read_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback.service import Service
    from charger_link import Answer
    from charger_link.dialects.dialect import Dialect
    from charger_link.records import Stop
    from common.edge.lambda_types import Context, Event, Response
    from common.journal import Attempt
    from common.transport import Deadline

    ReadCallback = Callable[[Any, int | None], Answer]
    ReadStopCallback = Callable[[Any], Stop]

_log = Logger(utc=True)
_TIMEOUT = 10.0  # seconds; one read and one write


@guarded(
    internal_error("The service failed and may not have recorded the callback. Send the callback again.")
)
def respond(event: Event, context: Context, service: Service) -> Response:
    """Return the proxy response to one event of the HTTP API: 204 for every valid callback, even if it changed nothing."""
    call = Call.of(event, context)
    try:
        reply = dispatch(call, {f"POST {CALLBACK}": partial(_take_callback, Record(context))}, service)
    except JournalUnavailable as error:
        detail = "The callback cannot be recorded now. Send the callback again."
        reply = journal_unavailable(error, "callback", detail)
    return proxy_response(reply)


def failures(service: Service) -> list[str]:
    """Return what this version cannot reach."""
    return journal_failures(service.journal, ("GetItem", "UpdateItem"))


def _take_callback(record: Record, call: Call, service: Service) -> Reply:
    deadline = call.deadline.within(_TIMEOUT)
    attempt, dialect = _find_attempt(call, service, deadline)
    if call.query.get(callbacks.PURPOSE) == callbacks.STOP:
        read_stop_callback = _check_stop(attempt, dialect, call, service)
        record_stop(attempt, read_stop_callback, read_json(call.body), service.journal, deadline)
        return Reply(None)
    read_callback, is_current = _check_start(attempt, dialect, call, service)
    body = read_json(call.body)
    try:
        answer = read_callback(body, attempt.connectorId)
    except OutcomeUnknown as error:
        _log.warning("callback without an answer", extra={**about_attempt(attempt), "kind": error.kind})
        # No other callback follows: the waiting invocation can stop waiting.
        if error.kind == "call-error" and is_current:
            problem = {"type": "outcome-unknown", "detail": error.detail}
            service.journal.note_problem(attempt, problem, deadline)
    else:
        record_answer(attempt, answer, service.journal, record, deadline, is_current=is_current)
    return Reply(None)


def _find_attempt(call: Call, service: Service, deadline: Deadline) -> tuple[Attempt, Dialect]:
    """Return the attempt that the path names, and its dialect. The path's signature is not verified yet.

    Raises
    ------
    ProblemError
        404: the path is not valid.
    """
    parameters = call.path_parameters
    try:
        id_ = str(read_guid(parameters["id"]))
    except ValueError:
        raise _not_valid("id") from None
    if callbacks.is_expired(parameters["expires"], time.time()):
        raise _not_valid("expiry")
    attempt = service.journal.get(id_, deadline)
    dialect = registry.find(attempt.dialect) if attempt else None
    if attempt is None or dialect is None or dialect.read_callback is None:
        raise _not_valid("attempt")
    return attempt, dialect


def _check_start(
    attempt: Attempt, dialect: Dialect, call: Call, service: Service
) -> tuple[ReadCallback, bool]:
    """Return the function that reads the callback of a start, and whether the path is of the attempt's current try.

    Raises
    ------
    ProblemError
        404: the path is not signed for a start.
    """
    parameters, key_signature = call.path_parameters, call.query.get(callbacks.KEY_SIGNATURE, "")
    expires, signature = parameters["expires"], parameters["signature"]
    for tries in _signed_tries(attempt):
        signed = attempt._replace(tries=tries)
        if dialect.read_callback and callbacks.is_signed(
            service.secret, signed, expires, signature, key_signature
        ):
            return dialect.read_callback, tries == attempt.tries
    raise _not_valid("signature")


def _check_stop(attempt: Attempt, dialect: Dialect, call: Call, service: Service) -> ReadStopCallback:
    """Return the function that reads the callback of a stop.

    Raises
    ------
    ProblemError
        404: the path is not signed for the stop that the attempt holds.
    """
    expires, signature = call.path_parameters["expires"], call.path_parameters["signature"]
    if dialect.read_stop_callback and callbacks.is_stop_signed(service.secret, attempt, expires, signature):
        return dialect.read_stop_callback
    raise _not_valid("signature")


def _signed_tries(attempt: Attempt) -> range:
    """Return the tries whose callbacks are valid, the current one first: every try after an operator's word that nothing was
    started, which can be wrong."""
    return range(attempt.tries, 0 if attempt.is_resolved else attempt.tries - 1, -1)


def _not_valid(reason: str) -> ProblemError:
    _log.warning("callback refused", extra={"reason": reason})
    return ProblemError(make_problem("attempt-unknown", "No attempt waits for this callback."))

"""From a callback to what the journal learns of it.

The route has no authorizer: its path is the credential. Whoever has no good one hears the same 404 for everything, and
changes nothing.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from charger_link import OutcomeUnknown
from charger_link.dialects import registry
from common.edge import guarded
from common.journal import JournalUnavailable, callbacks
from common.transport import Deadline
from common.wire import MAX_BODY_BYTES, MediaType, Problem, ProblemError, make_problem, write_response
from common.wire.problems import invalid_body
from common.wire.values import read_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from callback.service import Service
    from charger_link import Answer
    from common.edge import Context
    from common.journal import Attempt

_log = Logger(utc=True)
_PATIENCE = 10.0  # seconds; one read and one write
_TO_ANSWER = 0.5


def _internal_error(_event: Mapping[str, Any]) -> dict[str, Any]:
    return _refusal(
        make_problem(
            "internal-error", "The service failed, and may not have recorded the callback. Send it again."
        ),
        {},
    )


@guarded(_internal_error)
def respond(event: Mapping[str, Any], context: Context, service: Service) -> dict[str, Any]:
    """Answer one HTTP API event (payload 2.0): 204 for every good callback, whatever it changed."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _TO_ANSWER).within(_PATIENCE)
    try:
        attempt = _attempt(event, service, deadline)
        _learn(attempt, _body(event), service, deadline)
    except ProblemError as refused:
        return _refusal(refused.problem, refused.headers)
    except JournalUnavailable as error:
        _log.error("journal failed", extra={"step": "callback", "reason": error.reason})
        detail = "The callback cannot be recorded now. Send it again."
        return _refusal(make_problem("journal-unavailable", detail), {"Retry-After": "1"})
    return {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}


def _attempt(event: Mapping[str, Any], service: Service, deadline: Deadline) -> Attempt:
    """The attempt that a good path and query are about."""
    parameters: Mapping[str, str] = event["pathParameters"]
    key_signature = (event.get("queryStringParameters") or {}).get(callbacks.KEY_SIGNATURE, "")
    expires, now = parameters["expires"], time.time()
    try:
        id_ = str(read_guid(parameters["id"]))
    except ValueError:
        raise _no_callback("id") from None
    if callbacks.expired(expires, now):
        raise _no_callback("expiry")
    attempt = service.journal.get(id_, deadline)
    if attempt is None or _reader(attempt) is None:
        raise _no_callback("attempt")
    if not callbacks.signed(service.secret, attempt, expires, parameters["signature"], key_signature):
        raise _no_callback("signature")
    return attempt


def _learn(attempt: Attempt, body: Any, service: Service, deadline: Deadline) -> None:
    about = {"id": attempt.id, "chargerId": attempt.chargerId, "server": attempt.server}
    read_callback = _reader(attempt)
    assert read_callback is not None
    try:
        answer = read_callback(body, attempt.connectorId)
    except OutcomeUnknown as error:
        _log.warning("callback without an answer", extra={**about, "kind": error.kind})
        if error.kind == "call-error":  # nothing else will come: the invocation that waits need not wait on
            problem_ = {"type": "outcome-unknown", "detail": error.detail}
            service.journal.note_problem(attempt, problem_, deadline)
        return
    changed = service.journal.complete_late(attempt, answer.record(), deadline)
    _log.info(
        "called back" if changed else "called back again",
        extra={**about, "outcome": str(answer.outcome), "tries": attempt.tries},
    )


def _reader(attempt: Attempt) -> Callable[[Any, int | None], Answer] | None:
    """Return the function that reads the callbacks of the attempt's dialect; None if its servers send no callbacks."""
    dialect = registry.find(attempt.dialect)
    return dialect.read_callback if dialect else None


def _body(event: Mapping[str, Any]) -> Any:
    text = event.get("body") or ""
    try:
        content = b64decode(text) if event.get("isBase64Encoded") else text.encode()
        if len(content) > MAX_BODY_BYTES:
            raise ProblemError(make_problem("body-too-large", f"The body is over {MAX_BODY_BYTES} bytes."))
        return json.loads(content)
    except (ValueError, RecursionError):
        raise invalid_body("is not JSON") from None


def _no_callback(reason: str) -> ProblemError:
    _log.warning("callback refused", extra={"reason": reason})
    return ProblemError(make_problem("attempt-unknown", "No attempt waits for this callback."))


def _refusal(found: Problem, headers: Mapping[str, str]) -> dict[str, Any]:
    content_type, body = write_response(found, MediaType.JSON)
    return {
        "statusCode": found.status,
        "headers": {"Content-Type": content_type, **headers},
        "body": body,
        "isBase64Encoded": False,
    }

"""The replies of the connect function, from what is known of an attempt.

No reply suggests a retry that could start a second charge.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from charger_connect.outcomes import OUTCOMES
from charger_link import OutcomeUnknown
from common.edge.paths import attempt_path
from common.edge.replies import Reply
from common.journal import State
from common.transport.retry_after import retry_after
from common.wire import OcppStatusResponse, make_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_connect.request import ConnectRequest
    from common.journal import Attempt

RETRY_AFTER: Final = "1"
NOT_RECORDED: Final = "The OCPP server was called, but the outcome could not be recorded."
SENT_BEFORE: Final = "An earlier request with this id was sent, and its outcome is unknown."
STATUS_NOT_READ: Final = (
    "The charger's status could not be read in time. The request was not to start anything: send it again."
)
_CHECK_FIRST = (
    "Look at `instance` and check the charger: the charge may have started, or may still start, and a request under another id "
    "can start a second one."
)
RETRYABLE: Final = ("server-busy", "circuit-open")  # types with the header Retry-After
_ZERO_ID = str(UUID(int=0))


def reply_from_attempt(attempt: Attempt, request: ConnectRequest) -> Reply:
    """Return the reply that the stored attempt gives now."""
    if attempt.answer is not None:
        return status_reply(attempt.answer["outcome"], attempt.answer, request)
    if attempt.state is State.PENDING:
        return in_progress_reply(attempt.id, retry_after(attempt.lease - time.time()))
    if attempt.state is State.FAILED and attempt.problem:
        return problem_reply(attempt.problem["type"], attempt.problem["detail"], attempt.id)
    return unknown_reply(attempt.id, "The outcome of this attempt is unknown.")


def status_reply(outcome: str, body: Mapping[str, Any], request: ConnectRequest) -> Reply:
    """Return the reply (200) with the charger's answer."""
    response = OcppStatusResponse(
        id=request.id,
        chargerId=request.chargerId or "",
        connectorId=body["connectorId"],
        errorCode=body["errorCode"],
        status=body["status"],
        info=body["info"],
    )
    return Reply(response, {"Connect-Outcome": outcome})


def problem_reply(type_name: str, detail: str, id_: str, seconds: int | None = None) -> Reply:
    """Return the reply with a problem of this type; `seconds` is the value of Retry-After, if the type has that header."""
    if type_name == OUTCOMES[OutcomeUnknown].problem:
        return unknown_reply(id_, detail)
    headers = {"Retry-After": str(seconds or RETRY_AFTER)} if type_name in RETRYABLE else {}
    return Reply(make_problem(type_name, detail, instance=attempt_path(id_)), headers)


def unknown_reply(id_: str, detail: str) -> Reply:
    """Return the reply (504) after which the caller must check the attempt and the charger."""
    return Reply(make_problem("outcome-unknown", f"{detail} {_CHECK_FIRST}", instance=attempt_path(id_)))


def in_progress_reply(id_: str, seconds: int) -> Reply:
    """Return the reply (409) while another invocation works on the attempt."""
    detail = "Another request with this id is in progress. Send the same id again after Retry-After seconds."
    problem = make_problem("attempt-in-progress", detail, instance=attempt_path(id_))
    return Reply(problem, {"Retry-After": str(seconds)})


def id_reused_reply(attempt: Attempt) -> Reply:
    """Return the reply (422) to a request whose id belongs to another request.

    If a charge may run because of the stored attempt, the reply points to that attempt and never suggests another id.
    The caller's own name may have changed, so that this request may be a repeat of the stored one.
    """
    zeros = (
        " It is all zeros, which is what a client sends that sets no id." if attempt.id == _ZERO_ID else ""
    )
    if attempt.may_have_started:
        detail = (
            "Look at `instance`: this id belongs to an attempt with other content or of another caller, and the outcome of that "
            f"attempt is accepted or unknown.{zeros} A different request needs an id of its own."
        )
    else:
        detail = (
            "This id belongs to an attempt with other content or of another caller, which started no charge."
            f"{zeros} A different request needs a new GUID as id."
        )
    return Reply(make_problem("id-reused", detail, instance=attempt_path(attempt.id)))

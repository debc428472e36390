"""The replies to a DELETE. None of them suggests another start, and none says of a charge that may run that it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from charger_connect.outcomes import verdict
from charger_connect.replies import RETRYABLE
from charger_link import CircuitOpen, LinkError, OutcomeUnknown, ServerBusy, ServerRefused, Unreachable
from charger_link.words import InfoWord
from common.edge.paths import attempt_path
from common.edge.replies import Reply
from common.wire import OcppStatusResponse, ProblemError, make_problem

if TYPE_CHECKING:
    from common.journal import Attempt

NO_DIALECT: Final = "This kind of OCPP server cannot stop one certain charge."
NO_SERVER: Final = (
    "The OCPP server that received the start may not be called: LinkServers does not name it any more."
)
NOT_KNOWN: Final = "The OCPP server's records do not show which charge this id started."
UNCERTAIN: Final = "Charges in the OCPP server's records may be of this id, and none certainly is."
NOT_FOUND: Final = "The OCPP server's records show no charge that certainly is of this id."
CHANGED: Final = "The OCPP server's record of the charge is not the one that is stored."
_DECLINED = "The OCPP server declined the request, so the charger did not receive the stop."
_ELSEWHERE = "If a charge runs, stop it at the charger or in the OCPP server."
_REPEAT = "Sending the same DELETE again is safe."
_DETAILS: dict[type[LinkError], str] = {
    Unreachable: "The OCPP server could not be reached, so no stop was sent.",
    CircuitOpen: "The OCPP server failed repeatedly, so no stop was sent.",
    ServerBusy: "The OCPP server is busy, and sent no stop to the charger.",
    ServerRefused: "The OCPP server does not accept the credentials in LinkServers.",
}
_RETRY_AFTER = 1  # seconds


def status_reply(attempt: Attempt, status: str, info: str | None) -> Reply:
    """Return the reply (200) with the answer to the stop."""
    connector = (attempt.answer or {}).get("connectorId") or attempt.connectorId or 0
    response = OcppStatusResponse(UUID(attempt.id), attempt.chargerId, connector, "NoError", status, info)
    return Reply(response)


def nothing_started(attempt: Attempt) -> Reply:
    return status_reply(attempt, "Accepted", InfoWord.NOTHING_STARTED)


def already_stopped(attempt: Attempt) -> Reply:
    return status_reply(attempt, "Accepted", InfoWord.ALREADY_STOPPED)


def other_caller(id_: str) -> ProblemError:
    detail = "Only the caller that started this charge may stop it."
    return ProblemError(make_problem("other-caller", detail, instance=attempt_path(id_)))


def in_progress(attempt: Attempt, seconds: int) -> ProblemError:
    """Return the problem (409) while a start is in progress."""
    detail = "A start with this id is in progress. Send the same DELETE again after Retry-After seconds."
    return _problem(attempt, "attempt-in-progress", detail, seconds)


def changed(attempt: Attempt) -> ProblemError:
    """Return the problem (409) if another request changed the attempt before the stop was sent."""
    detail = "Another request changed this attempt, so this stop was not sent. Send the same DELETE again."
    return _problem(attempt, "attempt-in-progress", detail, _RETRY_AFTER)


def not_yet_started(attempt: Attempt, seconds: int) -> ProblemError:
    """Return the problem (409) while no charge is certainly the attempt's, and one may still be."""
    detail = "No charge of this id is certain yet, and one may still begin. Send the same DELETE again after Retry-After seconds."
    return _problem(attempt, "not-yet-started", detail, max(1, seconds))


def not_available(attempt: Attempt, reason: str) -> ProblemError:
    """Return the problem (422) if no charge can be stopped that certainly is the attempt's."""
    return _problem(attempt, "stop-not-available", f"{reason} {_ELSEWHERE}")


def table_unavailable(attempt: Attempt | None) -> ProblemError:
    """Return the problem (503) if the attempt could not be read or changed."""
    detail = f"The journal cannot be used now. {_REPEAT}"
    instance = attempt_path(attempt.id) if attempt else None
    problem = make_problem("journal-unavailable", detail, instance=instance, outcome="unknown")
    return ProblemError(problem, {"Retry-After": str(_RETRY_AFTER)})


def failure(attempt: Attempt, error: LinkError) -> ProblemError:
    """Return the problem for an error of the link; only an unknown outcome means that the charger may have received a stop."""
    detail = error.detail if isinstance(error, OutcomeUnknown) else _DETAILS.get(type(error))
    if detail is None:
        return not_available(attempt, _DECLINED)
    type_name = verdict(error, starts=True).problem or ""
    seconds = (error.retry_after or _RETRY_AFTER) if type_name in RETRYABLE else None
    return _problem(attempt, type_name, f"{detail} {_REPEAT}", seconds)


def _problem(attempt: Attempt, type_name: str, detail: str, seconds: int | None = None) -> ProblemError:
    """Return a problem about the attempt. Its charge may run, so the type's outcome `not-started` is never used."""
    problem = make_problem(type_name, detail, instance=attempt_path(attempt.id))
    if problem.outcome == "not-started":
        problem = problem._replace(outcome="unknown")
    return ProblemError(problem, {"Retry-After": str(seconds)} if seconds is not None else None)

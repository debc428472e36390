"""Record an operator's word on an attempt whose outcome is unknown."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger

from charger_link import Answer, Outcome
from charger_link.dialects import registry
from charger_link.words import InfoWord
from common.edge.json_document import read_json
from common.edge.paths import attempt_path
from common.journal import State
from common.journal.attempt import NOT_STARTED
from common.journal.resolutions import ACCEPTED, resolve_accepted, resolve_not_started
from common.wire import FieldError, ProblemError, make_problem
from common.wire.problems import invalid_body, invalid_request

if TYPE_CHECKING:
    from common.journal import Attempt, Journal
    from common.transport import Deadline

_log = Logger(utc=True)
_MAX_NOTE_LENGTH = 1000
_LONGEST_DELIVERY = 120.0  # seconds, for a dialect of another version


def read_resolution(body: bytes) -> tuple[str, str]:
    """Return the outcome and the note of a request's body.

    Raises
    ------
    ProblemError
        400 or 413
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise invalid_body("is not a JSON object")
    outcome, note = document.get("outcome"), document.get("note")
    errors = []
    if outcome not in (ACCEPTED, NOT_STARTED):
        errors.append(FieldError("outcome", f"must be {ACCEPTED} or {NOT_STARTED}"))
    if not _is_note(note):
        errors.append(FieldError("note", f"must be a text of 1 to {_MAX_NOTE_LENGTH} characters, not blank"))
    if errors:
        raise invalid_request(*errors)
    return str(outcome), str(note)


def resolve(
    attempt: Attempt, outcome: str, note: str, by: str, journal: Journal, now: float, deadline: Deadline
) -> Attempt:
    """Record that `by` found out what became of the attempt, and return the attempt as it is now.

    A repeat of the same request changes nothing and succeeds.

    Raises
    ------
    ProblemError
        409: the attempt's outcome is not unknown, or its start can still arrive.
    JournalUnavailable
    """
    if _is_recorded(attempt, outcome, note, by):
        return attempt
    if attempt.known_state(now) is not State.UNKNOWN or attempt.token is None:
        raise _not_unknown(attempt)
    if outcome == ACCEPTED:
        answer = Answer(
            Outcome.ACCEPTED, "Accepted", attempt.connectorId or 0, info=InfoWord.CONFIRMED_BY_OPERATOR
        )
        update = resolve_accepted(attempt, note, by, answer.record(), now)
    else:
        _check_delivery_is_over(attempt, now)
        update = resolve_not_started(attempt, note, by, now)
    changed = journal.apply(update, deadline)
    found = journal.get(attempt.id, deadline)
    if found is None or not _is_recorded(found, outcome, note, by):
        raise _not_unknown(found or attempt)
    if changed:
        _log.info("resolved", extra={"id": attempt.id, "outcome": outcome, "by": by, "tries": attempt.tries})
    return found


def _is_note(note: object) -> bool:
    if not isinstance(note, str) or len(note) > _MAX_NOTE_LENGTH or not note.strip():
        return False
    return note.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in note)  # half of a pair


def _check_delivery_is_over(attempt: Attempt, now: float) -> None:
    """Raise the problem (409) that the start can still arrive: servers deliver a start late, and `last_sending` is the latest."""
    dialect = registry.find(attempt.dialect)
    over = attempt.last_sending + (dialect.delivery if dialect else _LONGEST_DELIVERY)
    if now >= over:
        return
    detail = "The start may still arrive at the charger. Look again after Retry-After seconds, then send the request again."
    problem = make_problem("too-early", detail, instance=attempt_path(attempt.id))
    raise ProblemError(problem, {"Retry-After": str(ceil(over - now))})


def _is_recorded(attempt: Attempt, outcome: str, note: str, by: str) -> bool:
    """Return whether the attempt holds exactly this word on its last try: the request is a repeat."""
    word = attempt.resolution
    if word is None:
        return False
    return (word["outcome"], word["note"], word["by"], word["tries"]) == (outcome, note, by, attempt.tries)


def _not_unknown(attempt: Attempt) -> ProblemError:
    detail = f"The attempt is {attempt.state}. Only an attempt of a start whose outcome is unknown can be resolved: look at `instance`."
    return ProblemError(make_problem("attempt-not-unknown", detail, instance=attempt_path(attempt.id)))

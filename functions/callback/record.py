"""Record the charger's answer that a callback carries, and count what it contradicts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from charger_link import Outcome
from common.journal import State
from common.journal.contradictions import MESSAGES, contradictions, record_refusal
from common.journal.looks import add_transaction

if TYPE_CHECKING:
    from charger_link import Answer
    from common.edge.metrics import Record
    from common.journal import Attempt, Journal
    from common.transport import Deadline

_log = Logger(utc=True)


def record_answer(
    attempt: Attempt,
    answer: Answer,
    journal: Journal,
    record: Record,
    deadline: Deadline,
    *,
    is_current: bool,
) -> None:
    """Record an answer to the attempt's current try, or an acceptance of an earlier one.

    Every try counts after an operator recorded that nothing was started; of an earlier one, only an acceptance does.

    Raises
    ------
    JournalUnavailable
    """
    about = {**about_attempt(attempt), "outcome": str(answer.outcome)}
    accepted = answer.outcome is Outcome.ACCEPTED
    if not (is_current or accepted):
        _log.info("called back for an earlier try", extra=about)
        return
    changed = journal.complete_late(
        attempt, answer.record(), deadline, started=accepted, transaction=answer.transaction
    )
    _log.info("called back" if changed else "called back again", extra=about)
    is_late = not is_current or attempt.state is not State.PENDING or attempt.lease < time.time()
    if changed and not is_late:
        return
    before = attempt if changed else journal.get(attempt.id, deadline)
    if before is None or not before.is_same(attempt):
        return
    if not changed and not _add(before, answer, journal, deadline):
        return
    after = journal.get(attempt.id, deadline)
    for metric in contradictions(before, after) if after else ():
        _log.error(MESSAGES[metric], extra=about)
        record.count(metric)
    record.flush()


def about_attempt(attempt: Attempt) -> dict[str, Any]:
    """Return what the log lines of a callback have of its attempt."""
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "tries": attempt.tries,
    }


def _add(attempt: Attempt, answer: Answer, journal: Journal, deadline: Deadline) -> bool:
    """Add to a completed attempt what its answer does not have: the transaction of an acceptance, or a refusal; return whether
    it was added."""
    if answer.outcome is not Outcome.ACCEPTED:
        return record_refusal(journal, attempt, answer.record(), deadline)
    transaction = answer.transaction
    if transaction is None or transaction.id in attempt.transactions:
        return False
    if attempt.state is not State.COMPLETED or not attempt.is_accepted:
        return False
    return journal.apply(add_transaction(attempt, transaction, journal.clock()), deadline)

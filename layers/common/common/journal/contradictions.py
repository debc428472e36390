"""What contradicts an earlier conclusion on an attempt: a person has to look at each of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal.attempt import State
from common.journal.resolutions import ACCEPTED, record_contradiction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal.attempt import Attempt
    from common.journal.journal import Journal
    from common.transport import Deadline

# Metrics, and the texts of their log lines.
STARTED_AFTER_ALL = "StartedAfterAll"
SECOND_TRANSACTIONS = "SecondTransactions"
CONTRADICTIONS = "Contradictions"
MESSAGES = {
    STARTED_AFTER_ALL: "started after all",
    SECOND_TRANSACTIONS: "second transaction",
    CONTRADICTIONS: "contradicts the operator",
}


def contradictions(before: Attempt, after: Attempt) -> list[str]:
    """Return the metrics that count what changed between two states of an attempt.

    ``StartedAfterAll``: it was recorded, by the service or an operator, that nothing was started, and a charge was.
    ``SecondTransactions``: one id started two charges.
    ``Contradictions``: the charger refused a start of which an operator recorded that it was accepted.
    """
    found = []
    is_new = after.state is State.COMPLETED and before.state is not State.COMPLETED
    if is_new and after.is_accepted and (before.state is State.FAILED or _is_resolved_not_started(after)):
        found.append(STARTED_AFTER_ALL)
    if len(after.otherTransactions or {}) > len(before.otherTransactions or {}):
        found.append(SECOND_TRANSACTIONS)
    if _is_refused(after) and not _is_refused(before):
        found.append(CONTRADICTIONS)
    return found


def record_refusal(journal: Journal, attempt: Attempt, answer: Mapping[str, Any], deadline: Deadline) -> bool:
    """Record a refusal by the charger, if an operator's word that it accepted is all that is known; return whether it is recorded.

    Raises
    ------
    JournalUnavailable
    """
    word = attempt.resolution
    if attempt.state is not State.COMPLETED or word is None or word["outcome"] != ACCEPTED:
        return False
    if answer["outcome"] != "rejected" or attempt.transactions or _is_refused(attempt):
        return False
    return journal.apply(record_contradiction(attempt, answer, journal.clock()), deadline)


def _is_resolved_not_started(attempt: Attempt) -> bool:
    return (
        attempt.is_resolved and attempt.resolution is not None and attempt.resolution["outcome"] != ACCEPTED
    )


def _is_refused(attempt: Attempt) -> bool:
    return attempt.resolution is not None and "refused" in attempt.resolution

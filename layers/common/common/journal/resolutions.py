"""The updates that record an operator's word on an unknown attempt.

Each has the condition that the item still is the same try of the attempt, in the same state: of two operators, the first one's word
is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal.attempt import NOT_STARTED, State, timestamp
from common.journal.index_keys import KEYS, NOT_DUE, shard_of
from common.journal.unfinished import next_look
from common.journal.update import Update, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal.attempt import Attempt
    from common.journal.update import Condition

ACCEPTED = "accepted"  # the outcome of a resolution, as `NOT_STARTED` is
_NO_PROBLEM = {"type": "outcome-unknown", "detail": "The outcome of the last try is not known."}


def resolve_accepted(attempt: Attempt, note: str, by: str, answer: Mapping[str, Any], now: float) -> Update:
    """Return the write of an operator's word that a charge was started: the attempt becomes completed with `answer`.

    Raises
    ------
    ValueError
        The attempt is not unknown.
    """
    sets = {
        "state": State.COMPLETED,
        "answer": dict(answer),
        "updatedAt": timestamp(now),
        "resolution": _resolution(attempt, ACCEPTED, note, by, now),
    }
    # After an earlier word that nothing was started, there may be a second charge: the entry stays.
    removes = ("problem",) if attempt.is_resolved else ("problem", *KEYS)
    return Update(attempt.id, sets, _unknown(attempt, now), removes=removes)


def resolve_not_started(attempt: Attempt, note: str, by: str, now: float) -> Update:
    """Return the write of an operator's word that nothing was started: the attempt becomes failed, and may be claimed again.

    It stays in the index until a day after its last sending, because the word can be wrong.

    Raises
    ------
    ValueError
        The attempt is not unknown.
    """
    sets: dict[str, Any] = {
        "state": State.FAILED,
        "updatedAt": timestamp(now),
        "resolution": _resolution(attempt, NOT_STARTED, note, by, now),
    }
    if attempt.problem is None:
        sets["problem"] = _NO_PROBLEM
    due = next_look(attempt.last_sending, now)
    if due >= NOT_DUE:
        return Update(attempt.id, sets, _unknown(attempt, now), removes=KEYS)
    sets |= {"shard": shard_of(attempt.id), "dueAt": due}
    return Update(attempt.id, sets, _unknown(attempt, now))


def record_contradiction(attempt: Attempt, answer: Mapping[str, Any], now: float) -> Update:
    """Return the write of a refusal that arrived after an operator's word that a charge was started. The state does not change.

    Raises
    ------
    ValueError
        No operator's acceptance is recorded.
    """
    if attempt.resolution is None or attempt.resolution["outcome"] != ACCEPTED:
        raise ValueError(attempt.state)
    refused = {**answer, "at": timestamp(now)}
    sets = {"resolution": {**attempt.resolution, "refused": refused}, "updatedAt": timestamp(now)}
    return Update(attempt.id, sets, unchanged(attempt, "resolution"))


def _resolution(attempt: Attempt, outcome: str, note: str, by: str, now: float) -> dict[str, Any]:
    word = {"outcome": outcome, "note": note, "by": by, "at": timestamp(now), "tries": attempt.tries}
    return {**word, "earlier": NOT_STARTED} if attempt.is_resolved else word


def _unknown(attempt: Attempt, now: float) -> Condition:
    """Return the condition that nothing changed since `attempt` was read, when its outcome was unknown.

    A pending attempt's lease was over when it was read, and only a claim, which counts a try, writes another one.

    Raises
    ------
    ValueError
        Its outcome was not unknown, or it is a status request, which starts nothing.
    """
    if attempt.known_state(now) is not State.UNKNOWN or attempt.token is None:
        raise ValueError(attempt.state)
    return unchanged(attempt, "resolution")

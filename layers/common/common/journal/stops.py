"""The updates that record a stop. Each has the condition that the item still is the same try of the attempt, in the same state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal.attempt import timestamp
from common.journal.update import Update, same_try, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal.attempt import Attempt


def request_stop(attempt: Attempt, by: str, now: float) -> Update:
    """Return the write of a stop that is sent next; `by` is the caller."""
    sets: dict[str, Any] = {"stop": {"requestedAt": timestamp(now), "by": by}, "updatedAt": timestamp(now)}
    return Update(attempt.id, sets, same_try(attempt))


def answer_stop(attempt: Attempt, status: str, info: str | None, now: float) -> Update:
    """Return the write of the answer to the stop that the attempt holds.

    Raises
    ------
    ValueError
        The attempt holds no stop.
    """
    if attempt.stop is None:
        raise ValueError(attempt.id)
    answered = {**attempt.stop, "status": status, "info": info, "answeredAt": timestamp(now)}
    sets: dict[str, Any] = {"stop": answered, "updatedAt": timestamp(now)}
    # Another stop that was requested since has its own answer.
    return Update(attempt.id, sets, unchanged(attempt, "stop"))


def withdraw_stop(attempt: Attempt, earlier: Mapping[str, Any] | None) -> Update:
    """Return the write that puts `earlier` in place of the attempt's stop, which was not sent after all.

    Raises
    ------
    ValueError
        The attempt holds no stop.
    """
    if attempt.stop is None:
        raise ValueError(attempt.id)
    condition = unchanged(attempt, "stop")
    if earlier is None:
        return Update(attempt.id, {}, condition, removes=("stop",))
    return Update(attempt.id, {"stop": dict(earlier)}, condition)

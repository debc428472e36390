"""What a sweep does with one attempt of the index: a pure function."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from charger_link.dialects import registry
from common.journal import State
from common.journal.attempt import parse_timestamp
from common.journal.unfinished import LOOK_FOR, NOT_DUE

if TYPE_CHECKING:
    from common.journal import Attempt

SOON = 30.0  # seconds: what is due within them is due now, since the next sweep is a minute away


class Action(Enum):
    """What is done with an attempt."""

    NOTHING = auto()  # the index lags behind the table, or another sweep was faster
    EXPIRE = auto()  # its invocation has died
    POSTPONE = auto()  # the entry gets another time
    LEAVE = auto()  # the entry is removed
    LOOK = auto()  # its server's records are searched


class Step(NamedTuple):
    """An action, and the time (seconds since the epoch) of the entry after `EXPIRE` and `POSTPONE`."""

    action: Action
    due: float = NOT_DUE


def next_step(attempt: Attempt | None, now: float) -> Step:
    """Return what is due for an attempt of the index at `now`; `attempt` was just read from the table."""
    if attempt is None or attempt.dueAt is None or attempt.dueAt > now + SOON:
        return Step(Action.NOTHING)
    if attempt.state is State.PENDING:
        return _step_of_pending(attempt, now)
    end = attempt.last_sending + LOOK_FOR
    if attempt.is_resolved and now < end:
        # However a later try ended: an operator's word can be wrong.
        return Step(Action.LOOK) if attempt.dialect in registry.SEARCHABLE else _postpone(attempt, end)
    if attempt.known_state(now) is not State.UNKNOWN:
        return Step(Action.LEAVE)
    if attempt.dialect in registry.SEARCHABLE:
        return Step(Action.LOOK)
    return _postpone(attempt, NOT_DUE)


def _step_of_pending(attempt: Attempt, now: float) -> Step:
    if attempt.lease >= now:
        # An older version that takes an attempt over leaves its entry as it was.
        return (
            _postpone(attempt, attempt.lease)
            if attempt.lease > (attempt.dueAt or 0.0)
            else Step(Action.NOTHING)
        )
    return Step(Action.EXPIRE, _first_look(attempt, now))


def _postpone(attempt: Attempt, due: float) -> Step:
    return Step(Action.NOTHING) if attempt.dueAt == due else Step(Action.POSTPONE, due)


def _first_look(attempt: Attempt, now: float) -> float:
    """Return when the server's records may first show a start whose invocation has died."""
    dialect = registry.find(attempt.dialect)
    if dialect is None or dialect.find is None:
        return NOT_DUE
    sent = now if attempt.sentAt is None else parse_timestamp(attempt.sentAt)
    return max(now, sent + dialect.wait)

"""Count what is in the index of unfinished attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from common.journal import State
from common.journal.attempt import parse_timestamp
from common.journal.unfinished import NOT_DUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.journal.unfinished import Entry


class Gauges(NamedTuple):
    """What is unfinished: two numbers of attempts, and an age in seconds, 0 if no attempt is looked for."""

    unknown: int
    oldest_looked_for: float
    expired_pending: int


def measure(entries: Iterable[Entry], now: float) -> Gauges:
    """Return the gauges at `now`."""
    unknown = expired = 0
    oldest = now
    for entry in entries:
        if entry.state == State.UNKNOWN:
            unknown += 1
            if entry.due_at < NOT_DUE:
                oldest = min(oldest, parse_timestamp(entry.created_at))
        elif entry.state == State.PENDING and entry.due_at < now:
            expired += 1
    return Gauges(unknown, now - oldest, expired)


def oldest_unknown(entries: Iterable[Entry], limit: int) -> list[str]:
    """Return the ids of at most `limit` unknown attempts, the oldest first."""
    unknown = [entry for entry in entries if entry.state == State.UNKNOWN]
    return [entry.id for entry in sorted(unknown, key=lambda entry: entry.created_at)[:limit]]

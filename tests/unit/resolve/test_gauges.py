"""What the sweep counts in the index of unfinished attempts."""

from __future__ import annotations

import pytest

from common.journal import State
from common.journal.attempt import timestamp
from common.journal.unfinished import NOT_DUE, Entry
from resolve.gauges import Gauges, measure, oldest_unknown

NOW = 1_800_000_000.0


def entry(state: State, due: float = NOW, created: float = NOW - 100, id_: str = "one") -> Entry:
    return Entry(id_, due, state, timestamp(created))


@pytest.mark.parametrize(
    ("entries", "gauges"),
    [
        ([], Gauges(0, 0, 0)),
        ([entry(State.UNKNOWN)], Gauges(1, 100, 0)),
        ([entry(State.UNKNOWN, NOT_DUE)], Gauges(1, 0, 0)),
        ([entry(State.UNKNOWN), entry(State.UNKNOWN, created=NOW - 200)], Gauges(2, 200, 0)),
        ([entry(State.UNKNOWN, NOT_DUE, NOW - 900), entry(State.UNKNOWN)], Gauges(2, 100, 0)),
        ([entry(State.PENDING, NOW - 1)], Gauges(0, 0, 1)),
        ([entry(State.PENDING, NOW + 1)], Gauges(0, 0, 0)),
        ([entry(State.FAILED, NOW - 1), entry(State.COMPLETED, NOW - 1)], Gauges(0, 0, 0)),
    ],
)
def test_unknown_attempts_and_expired_ones_are_counted_and_the_oldest_that_is_looked_for_is_found(
    entries: list[Entry], gauges: Gauges
) -> None:
    assert measure(entries, NOW) == gauges


def test_the_oldest_unknown_attempts_are_listed_first_and_no_others() -> None:
    entries = [
        entry(State.UNKNOWN, created=3, id_="c"),
        entry(State.UNKNOWN, created=1, id_="a"),
        entry(State.PENDING, created=0, id_="pending"),
        entry(State.UNKNOWN, created=2, id_="b"),
    ]
    assert oldest_unknown(entries, 2) == ["a", "b"]

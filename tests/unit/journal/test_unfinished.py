"""The keys of the index `unfinished`, and the pauses between two looks."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from common.journal.unfinished import LOOK_FOR, NOT_DUE, SHARDS, next_look, shard_of
from tests.unit.journal.transitions import NOW


def test_ids_spread_over_all_shards() -> None:
    counts = [0] * len(SHARDS)
    for number in range(4000):
        counts[SHARDS.index(shard_of(str(UUID(int=number))))] += 1
    assert len(SHARDS) >= 8
    assert min(counts) > 400


def test_the_pauses_grow_from_a_minute_to_an_hour_and_the_last_look_is_after_a_day() -> None:
    looks = [NOW + 30]
    while (due := next_look(NOW, looks[-1])) != NOT_DUE:
        looks.append(due)
    pauses = [round(later - earlier, 3) for earlier, later in pairwise(looks)]
    assert pauses[0] == 60
    assert pauses[:-1] == sorted(pauses[:-1])
    assert max(pauses) == 3600
    assert looks[-1] == NOW + LOOK_FOR
    assert len(looks) < 40


def test_after_a_day_no_look_is_due() -> None:
    assert next_look(NOW, NOW + LOOK_FOR) == NOT_DUE
    assert next_look(NOW, NOW + 10 * LOOK_FOR) == NOT_DUE

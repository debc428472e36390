"""Deadlines: only ever earlier, never below zero."""

from __future__ import annotations

import time

from transport import Deadline


def test_a_deadline_within_another_never_outlives_it() -> None:
    outer = Deadline.after(10)
    assert outer.within(60) == outer
    assert outer.within(5).at < outer.at


def test_what_is_kept_back_comes_off() -> None:
    outer = Deadline.after(10)
    assert outer.before(2.5).at == outer.at - 2.5


def test_nothing_remains_of_a_past_deadline() -> None:
    past = Deadline(time.monotonic() - 1)
    assert past.remaining() == 0
    assert past.within(60).remaining() == 0
    assert Deadline.after(60).before(120).remaining() == 0


def test_what_remains_counts_down() -> None:
    deadline = Deadline.after(60)
    first = deadline.remaining()
    assert 0 < deadline.remaining() <= first <= 60

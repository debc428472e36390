"""A derived deadline is never later than its source, and the remaining time is never negative."""

from __future__ import annotations

import time

from common.transport import Deadline


def test_a_deadline_within_another_is_never_later() -> None:
    outer = Deadline.after(10)
    assert outer.within(60) == outer
    assert outer.within(5).at < outer.at


def test_reserved_time_makes_a_deadline_earlier() -> None:
    outer = Deadline.after(10)
    assert outer.before(2.5).at == outer.at - 2.5


def test_a_past_deadline_has_no_remaining_time() -> None:
    past = Deadline(time.monotonic() - 1)
    assert past.remaining() == 0
    assert past.within(60).remaining() == 0
    assert Deadline.after(60).before(120).remaining() == 0


def test_the_remaining_time_decreases() -> None:
    deadline = Deadline.after(60)
    first = deadline.remaining()
    assert 0 < deadline.remaining() <= first <= 60

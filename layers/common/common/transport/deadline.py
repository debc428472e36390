"""A point in time that a call and everything that it calls must keep to."""

from __future__ import annotations

import time
from typing import NamedTuple


class Deadline(NamedTuple):
    """A latest time. ``at`` is in seconds of ``time.monotonic()``."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the remaining seconds, at least 0."""
        return max(0.0, self.at - time.monotonic())

    def left(self) -> float:
        """Return the remaining seconds, always more than 0: a socket timeout. Raise TimeoutError if there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def within(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def before(self, seconds: float) -> Deadline:
        """Return a deadline `seconds` earlier than this one, to reserve time for later work."""
        return Deadline(self.at - seconds)

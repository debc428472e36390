"""A point on the monotonic clock that everything below it keeps to."""

from __future__ import annotations

import time
from typing import NamedTuple


class Deadline(NamedTuple):
    """When to be done: ``at`` is in seconds of ``time.monotonic()``."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - time.monotonic())

    def left(self) -> float:
        """Seconds left, for a wait that must not be endless; raises TimeoutError where none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def before(self, seconds: float) -> Deadline:
        """This deadline, `seconds` earlier: what is kept back for later work."""
        return Deadline(self.at - seconds)

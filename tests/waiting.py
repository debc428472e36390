"""Wait for a condition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def eventually(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until `condition` is true, and return its value."""
    until = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < until, "the condition was not met in time"
        time.sleep(0.02)
    return result

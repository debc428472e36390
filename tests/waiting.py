"""Waiting for what comes by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def eventually(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Waits until `condition` is true, and returns it."""
    until = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
    return result

"""The header Retry-After (RFC 9110, section 10.2.3), in seconds."""

from __future__ import annotations

from math import ceil


def retry_after(seconds: float) -> int:
    """Return a wait as whole seconds: rounded up, so that nobody comes too early, and at least 1."""
    return max(1, ceil(seconds))

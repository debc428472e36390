"""The value of the header Retry-After (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from math import ceil


def retry_after(seconds: float) -> int:
    """Return a wait in whole seconds, at least 1, rounded up so that no client retries too early."""
    return max(1, ceil(seconds))

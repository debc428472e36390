"""What makes a callback good: a path that carries the attempt's id, an expiry, and an HMAC over both and the try.

A server's callback names neither charger nor request in its body, and comes without credentials. So the path says what it
is about, and only who was given that path can know it.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal.attempt import Attempt

LIFETIME = 86400  # seconds
# Seconds, at most: a callback may come in the same second, to a process whose clock is behind.
_CLOCKS_DIFFER = 300
_PURPOSE = b"charger-connect: path of a callback"  # the secret signs fingerprints too, never the same text


def path(secret: bytes, attempt: Attempt, now: float) -> str:
    """``id/expiry/signature`` for the attempt's current try; `now` in seconds since the epoch."""
    expires = int(now) + LIFETIME
    return f"{attempt.id}/{expires}/{_signature(secret, attempt, expires)}"


def expired(expires: str, now: float) -> bool:
    """Whether the expiry of a path is over, or cannot be one of ours; the signature has the last word."""
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
        return True
    return not now < int(expires) <= now + LIFETIME + _CLOCKS_DIFFER


def signed(secret: bytes, attempt: Attempt, expires: str, signature: str) -> bool:
    """Whether `signature` is ours over this attempt, its current try and this expiry; takes as long for any answer."""
    return hmac.compare_digest(
        signature.encode(errors="replace"), _signature(secret, attempt, int(expires)).encode()
    )


def _signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return hmac.digest(key, f"{attempt.id}/{expires}/{attempt.tries}".encode(), "sha256").hex()

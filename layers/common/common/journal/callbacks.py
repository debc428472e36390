"""What makes a callback good: a path that carries the attempt's id, an expiry, and an HMAC over both and the try, and a query
with an HMAC over these and the attempt's key.

A server's callback names neither charger nor request in its body, and comes without credentials. So the path says what it
is about, and only who was given that path can know it.

The path alone is that of version 1.0, whose callback function ignores the query: during a canary or after a rollback either
version's function receives the callbacks for starts of both. For an attempt with a key this version requires the query's signature
too. A path of version 1.0 has none, and is good for an attempt without a key only.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.journal.attempt import Attempt

LIFETIME = 86400  # seconds
# Seconds, at most: a callback may come in the same second, to a process whose clock is behind.
_CLOCKS_DIFFER = 300
KEY_SIGNATURE = "keySignature"  # the query's parameter
_PURPOSE = b"charger-connect: path of a callback"  # the secret signs fingerprints too, never the same text


def path(secret: bytes, attempt: Attempt, now: float) -> str:
    """Return ``id/expiry/signature?keySignature=...`` for the attempt's current try; `now` in seconds since the epoch. An attempt
    without a key gets no query."""
    expires = int(now) + LIFETIME
    plain = f"{attempt.id}/{expires}/{_signature(secret, attempt, expires)}"
    return (
        f"{plain}?{KEY_SIGNATURE}={_key_signature(secret, attempt, expires)}" if attempt.attemptKey else plain
    )


def expired(expires: str, now: float) -> bool:
    """Whether the expiry of a path is over, or cannot be one of ours; the signature has the last word."""
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
        return True
    return not now < int(expires) <= now + LIFETIME + _CLOCKS_DIFFER


def signed(secret: bytes, attempt: Attempt, expires: str, signature: str, key_signature: str = "") -> bool:
    """Return whether both signatures are ours over this attempt, its current try and this expiry, in constant time.
    `key_signature` counts only where the attempt has a key."""
    good = _equal(signature, _signature(secret, attempt, int(expires)))
    if attempt.attemptKey is None:
        return good
    return _equal(key_signature, _key_signature(secret, attempt, int(expires))) and good


def _signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}")


def _key_signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}/{attempt.attemptKey}")


def _sign(secret: bytes, text: str) -> str:
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())

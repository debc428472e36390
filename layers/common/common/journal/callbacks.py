"""Create and verify the paths of callbacks.

A path has the attempt's id, an expiry, and an HMAC over both and the try. Its query has an HMAC over these and the attempt's key.
The body of a server's callback names neither charger nor request, and the server sends no credentials: the path identifies the
attempt, and its signature shows that this service created it.

Version 1.0 created the path without a query, and its callback function ignores one: during a canary or after a rollback, each
version's function receives the callbacks for starts of both. If an attempt has a key, this version requires the query's signature
too. A path of version 1.0 has none, and is valid only for an attempt without a key.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.journal.attempt import Attempt

LIFETIME = 86400  # seconds
# Seconds: a callback may arrive at once, at a process whose clock is behind.
_MAX_CLOCK_SKEW = 300
KEY_SIGNATURE = "keySignature"  # a query parameter
_PURPOSE = (
    b"charger-connect: path of a callback"  # the secret signs fingerprints too: this keeps the two apart
)


def create_path(secret: bytes, attempt: Attempt, now: float) -> str:
    """Return ``id/expiry/signature?keySignature=...`` for the attempt's current try; `now` is in seconds since the epoch.
    An attempt without a key gets no query."""
    expires = int(now) + LIFETIME
    plain = f"{attempt.id}/{expires}/{_signature(secret, attempt, expires)}"
    return (
        f"{plain}?{KEY_SIGNATURE}={_key_signature(secret, attempt, expires)}" if attempt.attemptKey else plain
    )


def is_expired(expires: str, now: float) -> bool:
    """Return whether a path has expired, or has an expiry that this service cannot have set. Does not verify the signature."""
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
        return True
    return not now < int(expires) <= now + LIFETIME + _MAX_CLOCK_SKEW


def is_signed(secret: bytes, attempt: Attempt, expires: str, signature: str, key_signature: str = "") -> bool:
    """Return whether this service signed this expiry for the attempt's current try, in constant time.
    `key_signature` is verified only if the attempt has a key."""
    valid = _equal(signature, _signature(secret, attempt, int(expires)))
    if attempt.attemptKey is None:
        return valid
    return _equal(key_signature, _key_signature(secret, attempt, int(expires))) and valid


def _signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}")


def _key_signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}/{attempt.attemptKey}")


def _sign(secret: bytes, text: str) -> str:
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())

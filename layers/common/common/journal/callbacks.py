"""Create and verify the paths of callbacks.

A path has the attempt's id, an expiry, and an HMAC over both and the try. Its query has an HMAC over these and the attempt's key.
The body of a server's callback names neither charger nor request, and the server sends no credentials: the path identifies the
attempt, and its signature shows that this service created it.

Version 1.0 created the path without a query, and its callback function ignores one: during a canary or after a rollback, each
version's function receives the callbacks for starts of both. If an attempt has a key, this version requires the query's signature
too. A path of version 1.0 has none, and is valid only for an attempt without a key.

The path of a stop's callback is signed with another purpose, so that its answer is never read as a start's, by no version. It is
valid for the stop that the attempt holds, and not for an earlier one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.journal.attempt import Attempt

LIFETIME = 86400  # seconds
# Seconds: a callback may arrive at once, at a process whose clock is behind.
_MAX_CLOCK_SKEW = 300
KEY_SIGNATURE, PURPOSE = "keySignature", "purpose"  # query parameters
STOP = "stop"  # the purpose of a stop's callback; a start's names none
_PURPOSE = (
    b"charger-connect: path of a callback"  # the secret signs fingerprints too: this keeps the two apart
)
_STOP_PURPOSE = b"charger-connect: path of a stop's callback"


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


def create_stop_path(secret: bytes, attempt: Attempt, now: float) -> str:
    """Return ``id/expiry/signature?purpose=stop`` for the stop that the attempt holds; `now` is in seconds since the epoch."""
    expires = int(now) + LIFETIME
    signature = _stop_signature(secret, attempt, expires)
    return f"{attempt.id}/{expires}/{signature}?{PURPOSE}={STOP}"


def is_stop_signed(secret: bytes, attempt: Attempt, expires: str, signature: str) -> bool:
    """Return whether this service signed this expiry for the stop that the attempt holds, in constant time."""
    return attempt.stop is not None and _equal(signature, _stop_signature(secret, attempt, int(expires)))


def _stop_signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    requested = attempt.stop["requestedAt"] if attempt.stop else ""
    text = f"{attempt.id}/{expires}/{attempt.tries}/{attempt.attemptKey}/{requested}"
    return _sign(secret, text, _STOP_PURPOSE)


def _signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}")


def _key_signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    return _sign(secret, f"{attempt.id}/{expires}/{attempt.tries}/{attempt.attemptKey}")


def _sign(secret: bytes, text: str, purpose: bytes = _PURPOSE) -> str:
    key = hmac.digest(secret, purpose, "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())

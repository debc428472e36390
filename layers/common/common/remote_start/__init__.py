"""The remoteStartId of OCPP 2.0.1, which is computed from a request id."""

from __future__ import annotations

from hashlib import sha256


def remote_start_id(id_: str) -> int:
    """Return the remoteStartId for a request id: 31 bits of its SHA-256, at least 1."""
    return (int.from_bytes(sha256(id_.encode()).digest()[:4], "big") & 0x7FFFFFFF) or 1

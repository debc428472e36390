"""The remoteStartId of OCPP 2.0.1: how it follows from a request id, and which kinds of OCPP server pass it on.

A leaf package that imports nothing of this project: the function that shows attempts has no charger link.
"""

from __future__ import annotations

from hashlib import sha256

# The dialects whose servers send our number to a charger of OCPP 2.0.1. Not listed: SteVe has OCPP 1.6 alone, OCPP.Core sends 0,
# and ocpp-cs translates a body of OCPP 1.6 with the number 1 and passes ours on only with a token that 1.6 has no room for.
CARRIED_BY = frozenset({"native", "citrineos"})


def remote_start_id(id_: str) -> int:
    """Return the remoteStartId for a request id: 31 bits of its SHA-256, at least 1."""
    return (int.from_bytes(sha256(id_.encode()).digest()[:4], "big") & 0x7FFFFFFF) or 1

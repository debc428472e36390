"""The transition table of a claim: unit tests check each row without a table, integration tests with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common.journal import Claimed, Mismatch, Opening, Pending, Replay, State, Unknown, fingerprint
from common.journal.attempt import attribute, timestamp

if TYPE_CHECKING:
    from common.journal.attempt import Item

NOW = 1_790_000_000.25
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
FINGERPRINT = fingerprint(b"a secret of the test", "CP-1", "04A2B3C4", "10.0.0.5:8080", None, "alice")
OTHER = fingerprint(b"a secret of the test", "CP-1", "04A2B3C4", "10.0.0.5:8080", None, "mallory")
ANSWER = {"outcome": "accepted", "status": "Charging", "connectorId": 1, "errorCode": "NoError", "info": None}

START = Opening(
    id=ID,
    charger_id="CP-1",
    server="10.0.0.5:8080",
    dialect="native",
    connector=1,
    token="****",
    fingerprint=FINGERPRINT,
    lease=NOW + 29,
    caller="alice",
)
STATUS = START._replace(token=None)
WINDOW = 3600.0
# An operator's words on the first try.
NOT_STARTED = {"outcome": "not-started", "note": "n", "by": "olga", "at": timestamp(NOW - 60), "tries": 1}
STARTED = {**NOT_STARTED, "outcome": "accepted"}


def item(**changes: Any) -> Item:
    """Return the item of a pending attempt with the same fingerprint; another invocation claimed it 2 s ago, with a lease of 20 s more."""
    values = {
        "id": ID,
        "chargerId": "CP-1",
        "server": "10.0.0.5:8080",
        "dialect": "native",
        "connectorId": 1,
        "token": "****",
        "state": "pending",
        "owner": "somebody else",
        "lease": NOW + 20,
        "fingerprint": FINGERPRINT,
        "createdAt": timestamp(NOW - 2),
        "updatedAt": timestamp(NOW - 2),
        "expiresAt": int(NOW) + 86400,
        "tries": 1,
        "caller": "alice",
        **changes,
    }
    return {name: attribute(value) for name, value in values.items()}


class Row(NamedTuple):
    name: str
    old: dict[str, Any]
    claim: type
    opening: Opening = START
    retry_after: int | None = None
    doubt: bool | None = None


_LONG_AGO = timestamp(NOW - WINDOW - 0.000_01)
_JUST_INSIDE = timestamp(NOW - WINDOW)

ROWS = [
    # another fingerprint: a mismatch in every state, also after the lease
    *(
        Row(f"{state}, lease {lease:+}, other fingerprint", {"state": state, "lease": NOW + lease, "fingerprint": OTHER}, Mismatch)
        for state in State
        for lease in (20, -20)
    ),
    Row("completed, other fingerprint, status request", {"state": "completed", "fingerprint": OTHER}, Mismatch, STATUS),
    # completed: always replayed
    Row("completed", {"state": "completed", "answer": ANSWER}, Replay),
    Row("completed, lease expired", {"state": "completed", "answer": ANSWER, "lease": NOW - 9}, Replay),
    Row("completed long ago", {"state": "completed", "answer": ANSWER, "createdAt": _LONG_AGO}, Replay),
    Row("completed, dialect not repeatable", {"state": "completed", "answer": ANSWER, "dialect": "once"}, Replay),
    # pending, lease not expired: the rest of the lease, at least 1
    Row("pending, 20 s of lease left", {}, Pending, retry_after=20),
    Row("pending, 19.2 s of lease left", {"lease": NOW + 19.2}, Pending, retry_after=20),
    Row("pending, 1 ms of lease left", {"lease": NOW + 0.001}, Pending, retry_after=1),
    Row("pending, lease ends now", {"lease": NOW}, Pending, retry_after=1),
    Row("pending, lease not expired, dialect not repeatable", {"dialect": "once"}, Pending, retry_after=20),
    Row("pending, lease not expired, created long ago", {"createdAt": _LONG_AGO}, Pending, retry_after=20),
    Row("pending, lease not expired, status request", {}, Pending, STATUS, retry_after=20),
    # pending with an expired lease, or unknown; repeatable dialect inside the window: taken over, in doubt
    Row("pending, lease expired by 1 ms", {"lease": NOW - 0.001}, Claimed, doubt=True),
    Row("pending, lease expired by a minute", {"lease": NOW - 60}, Claimed, doubt=True),
    Row("pending, lease expired, at the window's edge", {"lease": NOW - 1, "createdAt": _JUST_INSIDE}, Claimed, doubt=True),
    Row("unknown, lease expired", {"state": "unknown", "lease": NOW - 1}, Claimed, doubt=True),
    Row("unknown, lease not expired", {"state": "unknown"}, Claimed, doubt=True),
    Row("unknown, at the window's edge", {"state": "unknown", "createdAt": _JUST_INSIDE}, Claimed, doubt=True),
    # the same with another dialect or outside the window: no request is sent
    Row("pending, lease expired, not repeatable", {"lease": NOW - 1, "dialect": "once"}, Unknown),
    Row("pending, lease expired, outside the window", {"lease": NOW - 1, "createdAt": _LONG_AGO}, Unknown),
    Row("unknown, not repeatable", {"state": "unknown", "dialect": "once"}, Unknown),
    Row("unknown, outside the window", {"state": "unknown", "createdAt": _LONG_AGO}, Unknown),
    # a status request starts nothing, so it may always be repeated
    Row("status request, lease expired, not repeatable", {"lease": NOW - 1, "dialect": "once"}, Claimed, STATUS, doubt=False),
    Row("status request, lease expired, outside the window", {"lease": NOW - 1, "createdAt": _LONG_AGO}, Claimed, STATUS, doubt=False),
    Row("status request, unknown", {"state": "unknown", "dialect": "once"}, Claimed, STATUS, doubt=False),
    # resolved by an operator as not started: one more start, in doubt; what that leaves unknown, only an operator ends
    Row("failed and resolved", {"state": "failed", "resolution": NOT_STARTED}, Claimed, doubt=True),
    Row("failed and resolved, not repeatable", {"state": "failed", "resolution": NOT_STARTED, "dialect": "once"}, Claimed, doubt=True),
    Row("failed and resolved long ago", {"state": "failed", "resolution": NOT_STARTED, "createdAt": _LONG_AGO}, Claimed, doubt=True),
    Row("failed and resolved, other fingerprint", {"state": "failed", "resolution": NOT_STARTED, "fingerprint": OTHER}, Mismatch),
    Row("failed after it was resolved, by an older version", {"state": "failed", "resolution": NOT_STARTED, "tries": 2}, Unknown),
    Row("unknown after it was resolved", {"state": "unknown", "resolution": NOT_STARTED, "tries": 2}, Unknown),
    Row("pending after it was resolved, lease expired", {"lease": NOW - 1, "resolution": NOT_STARTED, "tries": 2}, Unknown),
    Row("pending after it was resolved", {"resolution": NOT_STARTED, "tries": 2}, Pending, retry_after=20),
    Row("completed after it was resolved", {"state": "completed", "resolution": NOT_STARTED, "answer": ANSWER}, Replay),
    Row("resolved as accepted", {"state": "completed", "resolution": STARTED, "answer": ANSWER}, Replay),
]  # fmt: skip

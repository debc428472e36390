"""The claim's transition table, row by row: unit tests judge each row, integration tests run it on a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common.journal import Claimed, Mismatch, Opening, Pending, Replay, State, Unknown, fingerprint
from common.journal.attempt import attribute, timestamp

if TYPE_CHECKING:
    from common.journal.attempt import Item

NOW = 1_790_000_000.25
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
MEANING = fingerprint(b"a secret of the test", "CP-1", "04A2B3C4", "10.0.0.5:8080", None, "alice")
OTHER = fingerprint(b"a secret of the test", "CP-1", "04A2B3C4", "10.0.0.5:8080", None, "mallory")
ANSWER = {"outcome": "accepted", "status": "Charging", "connectorId": 1, "errorCode": "NoError", "info": None}

START = Opening(
    id=ID,
    charger_id="CP-1",
    server="10.0.0.5:8080",
    dialect="native",
    connector=1,
    token="****",
    fingerprint=MEANING,
    lease=NOW + 29,
    caller="alice",
)
STATUS = START._replace(token=None)
WINDOW = 3600.0


def item(**changes: Any) -> Item:
    """A pending attempt of the same meaning, claimed two seconds ago by somebody who has twenty more."""
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
        "fingerprint": MEANING,
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
    verdict: type
    opening: Opening = START
    retry_after: int | None = None
    doubt: bool | None = None


_LONG_AGO = timestamp(NOW - WINDOW - 0.000_01)
_JUST_INSIDE = timestamp(NOW - WINDOW)

ROWS = [
    # another fingerprint: refused, whatever the state, and however long the lease is over
    *(
        Row(f"{state}, lease {lease:+}, other meaning", {"state": state, "lease": NOW + lease, "fingerprint": OTHER}, Mismatch)
        for state in State
        for lease in (20, -20)
    ),
    Row("completed, other meaning, status asked", {"state": "completed", "fingerprint": OTHER}, Mismatch, STATUS),
    # completed: told again, for ever
    Row("completed", {"state": "completed", "answer": ANSWER}, Replay),
    Row("completed, lease over", {"state": "completed", "answer": ANSWER, "lease": NOW - 9}, Replay),
    Row("completed long ago", {"state": "completed", "answer": ANSWER, "createdAt": _LONG_AGO}, Replay),
    Row("completed, dialect not repeatable", {"state": "completed", "answer": ANSWER, "dialect": "once"}, Replay),
    # pending, lease alive: what is left of it, at least 1
    Row("pending, 20 s of lease left", {}, Pending, retry_after=20),
    Row("pending, 19.2 s of lease left", {"lease": NOW + 19.2}, Pending, retry_after=20),
    Row("pending, 1 ms of lease left", {"lease": NOW + 0.001}, Pending, retry_after=1),
    Row("pending, lease ends now", {"lease": NOW}, Pending, retry_after=1),
    Row("pending, lease alive, dialect not repeatable", {"dialect": "once"}, Pending, retry_after=20),
    Row("pending, lease alive, created long ago", {"createdAt": _LONG_AGO}, Pending, retry_after=20),
    Row("pending, lease alive, status asked", {}, Pending, STATUS, retry_after=20),
    # pending with the lease over, or unknown, of a repeatable dialect inside the window: taken over, in doubt
    Row("pending, lease over by 1 ms", {"lease": NOW - 0.001}, Claimed, doubt=True),
    Row("pending, lease over by a minute", {"lease": NOW - 60}, Claimed, doubt=True),
    Row("pending, lease over, at the window's edge", {"lease": NOW - 1, "createdAt": _JUST_INSIDE}, Claimed, doubt=True),
    Row("unknown, lease over", {"state": "unknown", "lease": NOW - 1}, Claimed, doubt=True),
    Row("unknown, lease alive", {"state": "unknown"}, Claimed, doubt=True),
    Row("unknown, at the window's edge", {"state": "unknown", "createdAt": _JUST_INSIDE}, Claimed, doubt=True),
    # the same, otherwise: the link is not called
    Row("pending, lease over, not repeatable", {"lease": NOW - 1, "dialect": "once"}, Unknown),
    Row("pending, lease over, window over", {"lease": NOW - 1, "createdAt": _LONG_AGO}, Unknown),
    Row("unknown, not repeatable", {"state": "unknown", "dialect": "once"}, Unknown),
    Row("unknown, window over", {"state": "unknown", "createdAt": _LONG_AGO}, Unknown),
    # a status starts nothing, so it may always be asked again
    Row("status asked, lease over, not repeatable", {"lease": NOW - 1, "dialect": "once"}, Claimed, STATUS, doubt=False),
    Row("status asked, lease over, window over", {"lease": NOW - 1, "createdAt": _LONG_AGO}, Claimed, STATUS, doubt=False),
    Row("status asked, unknown", {"state": "unknown", "dialect": "once"}, Claimed, STATUS, doubt=False),
]  # fmt: skip

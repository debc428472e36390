"""The durable record of every requested connection. It makes a repeated request safe, also after a crash."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256

from local.csms.results import Result

RETENTION_SECONDS = 7 * 24 * 3600
"""How long a record is kept. The dialect requires a day at least."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS connection (
    id              TEXT PRIMARY KEY,
    charger         TEXT NOT NULL,
    token           TEXT NOT NULL,      -- its SHA-256, which is enough for a comparison
    remote_start_id INTEGER NOT NULL,
    state           TEXT NOT NULL,
    result          TEXT,
    created         REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_remote_start_id ON connection (charger, remote_start_id);
CREATE TABLE IF NOT EXISTS charger (identity TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class State(StrEnum):
    """NOT_SENT: no OCPP call was sent. SENT: one may have been sent, and its result is not known. COMPLETED: the result is
    known, from the charger or from the server itself, which then sent no call."""

    NOT_SENT = "not-sent"
    SENT = "sent"
    COMPLETED = "completed"


class Mismatch(Exception):
    """The id is recorded with another token or for another charger."""


@dataclass(frozen=True, slots=True)
class Record:
    state: State
    result: Result | None


class Store:
    """A SQLite database. Every commit is flushed to the disk before the method returns."""

    def __init__(self, path: str) -> None:
        """Open or create the database at `path` (":memory:": lost when the process ends). Raises sqlite3.Error."""
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)
        self._database.execute("DELETE FROM connection WHERE created < ?", (time.time() - RETENTION_SECONDS,))

    def close(self) -> None:
        self._database.close()

    def claim(self, key: str, charger: str, token: str, remote_start_id: int) -> Record:
        """Record `key` as not sent unless a record exists, and return the record. Raises Mismatch."""
        digest = sha256(token.encode()).hexdigest()
        self._database.execute(
            "INSERT OR IGNORE INTO connection VALUES (?, ?, ?, ?, ?, NULL, ?)",
            (key, charger, digest, remote_start_id, State.NOT_SENT, time.time()),
        )
        row = self._database.execute("SELECT charger, token FROM connection WHERE id = ?", (key,)).fetchone()
        if row != (charger, digest):
            raise Mismatch
        return self.read(key)

    def read(self, key: str) -> Record:
        """Return the record of an id that was claimed."""
        state, result = self._database.execute(
            "SELECT state, result FROM connection WHERE id = ?", (key,)
        ).fetchone()
        return Record(State(state), Result(**json.loads(result)) if result else None)

    def mark_sent(self, key: str) -> bool:
        """Record that the call is about to be sent. Return False if that is recorded already: it must not be sent again."""
        cursor = self._database.execute(
            "UPDATE connection SET state = ? WHERE id = ? AND state = ?", (State.SENT, key, State.NOT_SENT)
        )
        return cursor.rowcount == 1

    def record_result(self, key: str, result: Result) -> None:
        """Record the result of a call that was sent. The first result is kept."""
        self._database.execute(
            "UPDATE connection SET state = ?, result = ? WHERE id = ? AND state = ?",
            (State.COMPLETED, json.dumps(asdict(result)), key, State.SENT),
        )

    def record_rejection(self, key: str, result: Result) -> None:
        """Record that the call is never sent, and why. An earlier result is kept."""
        self._database.execute(
            "UPDATE connection SET state = ?, result = ? WHERE id = ? AND state = ?",
            (State.COMPLETED, json.dumps(asdict(result)), key, State.NOT_SENT),
        )

    def find_sent(self, charger: str, remote_start_id: int) -> str | None:
        """Return the id of the call that was sent to this charger with this remoteStartId and has no result yet, else None."""
        row = self._database.execute(
            "SELECT id FROM connection WHERE charger = ? AND remote_start_id = ? AND state = ?",
            (charger, remote_start_id, State.SENT),
        ).fetchone()
        return str(row[0]) if row else None

    def add_charger(self, charger: str) -> None:
        """Record a charger's identity."""
        self._database.execute("INSERT OR IGNORE INTO charger VALUES (?)", (charger,))

    def charger_identities(self) -> list[str]:
        """Return every recorded identity."""
        return [row[0] for row in self._database.execute("SELECT identity FROM charger ORDER BY identity")]

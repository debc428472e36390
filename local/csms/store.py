"""The durable record of every connection asked for: what makes a repeat after a crash safe."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256

from local.csms.answer import Answer

KEPT_SECONDS = 7 * 24 * 3600
"""How long an id is remembered; the dialect asks for a day at least."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS connection (
    id              TEXT PRIMARY KEY,
    charger         TEXT NOT NULL,
    token           TEXT NOT NULL,      -- its SHA-256: only ever compared
    remote_start_id INTEGER NOT NULL,
    state           TEXT NOT NULL,
    answer          TEXT,
    created         REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_remote_start_id ON connection (charger, remote_start_id);
CREATE TABLE IF NOT EXISTS charger (identity TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class State(StrEnum):
    """NOT_SENT: no OCPP call has left. SENT: one may have left, its answer is not known. ANSWERED: the charger answered, or
    was never asked."""

    NOT_SENT = "not-sent"
    SENT = "sent"
    ANSWERED = "answered"


class Mismatch(Exception):
    """The id is recorded with another token or for another charger."""


@dataclass(frozen=True, slots=True)
class Record:
    state: State
    answer: Answer | None


class Store:
    """SQLite, flushed to the disk at every commit: what a method wrote is there when it returns."""

    def __init__(self, path: str) -> None:
        """Opens or creates the database at `path` (":memory:" for one that dies with the process). sqlite3.Error."""
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)
        self._database.execute("DELETE FROM connection WHERE created < ?", (time.time() - KEPT_SECONDS,))

    def close(self) -> None:
        self._database.close()

    def claim(self, key: str, charger: str, token: str, remote_start_id: int) -> Record:
        """Records `key` as not sent unless it is there already, and returns what is there. Mismatch."""
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
        """The record of an id that was claimed."""
        state, answer = self._database.execute(
            "SELECT state, answer FROM connection WHERE id = ?", (key,)
        ).fetchone()
        return Record(State(state), Answer(**json.loads(answer)) if answer else None)

    def sending(self, key: str) -> bool:
        """Records that the call is about to leave. False where it was so recorded before: then it must not leave again."""
        cursor = self._database.execute(
            "UPDATE connection SET state = ? WHERE id = ? AND state = ?", (State.SENT, key, State.NOT_SENT)
        )
        return cursor.rowcount == 1

    def answered(self, key: str, answer: Answer) -> None:
        """Records what the charger answered. The first answer stays."""
        self._database.execute(
            "UPDATE connection SET state = ?, answer = ? WHERE id = ? AND state = ?",
            (State.ANSWERED, json.dumps(asdict(answer)), key, State.SENT),
        )

    def declined(self, key: str, answer: Answer) -> None:
        """Records that the call is never made, and why. What was recorded before stays."""
        self._database.execute(
            "UPDATE connection SET state = ?, answer = ? WHERE id = ? AND state = ?",
            (State.ANSWERED, json.dumps(asdict(answer)), key, State.NOT_SENT),
        )

    def sent_as(self, charger: str, remote_start_id: int) -> str | None:
        """The id whose call went to this charger under this remoteStartId and has no answer yet."""
        row = self._database.execute(
            "SELECT id FROM connection WHERE charger = ? AND remote_start_id = ? AND state = ?",
            (charger, remote_start_id, State.SENT),
        ).fetchone()
        return str(row[0]) if row else None

    def know(self, charger: str) -> None:
        """Remembers a charger's identity."""
        self._database.execute("INSERT OR IGNORE INTO charger VALUES (?)", (charger,))

    def known(self) -> list[str]:
        """Every identity that was ever remembered."""
        return [row[0] for row in self._database.execute("SELECT identity FROM charger ORDER BY identity")]

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
    created         REAL NOT NULL,
    connector       INTEGER,            -- of the call that was sent; NULL if it named none
    sent            REAL                -- NULL if nothing was sent, or by a version that did not record the time
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_remote_start_id ON connection (charger, remote_start_id);
CREATE TABLE IF NOT EXISTS charger (identity TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stop (       -- an id that starts nothing from now on; it may have no connection
    id      TEXT PRIMARY KEY,
    charger TEXT NOT NULL,
    created REAL NOT NULL
) WITHOUT ROWID;
"""
_ADDED_COLUMNS = {"connector": "INTEGER", "sent": "REAL"}
"""Columns of `connection` that the first version did not have."""


class State(StrEnum):
    """NOT_SENT: no OCPP call was sent. SENT: one may have been sent, and its result is not known. COMPLETED: the result is
    known, from the charger or from the server itself, which then sent no call."""

    NOT_SENT = "not-sent"
    SENT = "sent"
    COMPLETED = "completed"


class Mismatch(Exception):
    """The id is recorded with another token or for another charger."""


class Stopped(Exception):
    """The id was stopped. It starts nothing any more."""


@dataclass(frozen=True, slots=True)
class Record:
    state: State
    result: Result | None


class Store:
    """A SQLite database. Every commit is flushed to the disk before the method returns."""

    def __init__(self, path: str) -> None:
        """Open or create the database at `path` (":memory:": lost when the process ends). Raises sqlite3.Error."""
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.executescript(_SCHEMA)
        present = {row[1] for row in self.database.execute("PRAGMA table_info(connection)")}
        for column, type_ in _ADDED_COLUMNS.items():
            if column not in present:
                self.database.execute(f"ALTER TABLE connection ADD COLUMN {column} {type_}")
        for table in ("connection", "stop"):
            self.delete_old(table)

    def delete_old(self, table: str) -> None:
        """Delete the rows of `table` that were created longer ago than the retention."""
        self.database.execute(
            f"DELETE FROM {table} WHERE created < ?",  # noqa: S608 (a constant)
            (time.time() - RETENTION_SECONDS,),
        )

    def close(self) -> None:
        self.database.close()

    def claim(self, key: str, charger: str, token: str, remote_start_id: int) -> Record:
        """Record `key` as not sent unless a record exists, and return the record. Raises Mismatch, Stopped."""
        if self.is_stopped(key):
            raise Stopped
        digest = hash_token(token)
        self.database.execute(
            "INSERT OR IGNORE INTO connection VALUES (?, ?, ?, ?, ?, NULL, ?, NULL, NULL)",
            (key, charger, digest, remote_start_id, State.NOT_SENT, time.time()),
        )
        row = self.database.execute("SELECT charger, token FROM connection WHERE id = ?", (key,)).fetchone()
        if row != (charger, digest):
            raise Mismatch
        return self.read(key)

    def read(self, key: str) -> Record:
        """Return the record of an id that was claimed."""
        state, result = self.database.execute(
            "SELECT state, result FROM connection WHERE id = ?", (key,)
        ).fetchone()
        return Record(State(state), Result(**json.loads(result)) if result else None)

    def charger_of(self, key: str) -> str | None:
        """Return the charger for which an id was claimed, else None."""
        row = self.database.execute("SELECT charger FROM connection WHERE id = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def mark_sent(self, key: str, connector: int | None) -> bool:
        """Record that the call is about to be sent, to `connector` if it names one.

        Return False if that is recorded already, or if the id was stopped: it must not be sent.
        """
        cursor = self.database.execute(
            "UPDATE connection SET state = ?, connector = ?, sent = ? WHERE id = ? AND state = ?"
            " AND NOT EXISTS (SELECT 1 FROM stop WHERE stop.id = connection.id)",
            (State.SENT, connector, time.time(), key, State.NOT_SENT),
        )
        return cursor.rowcount == 1

    def record_result(self, key: str, result: Result) -> None:
        """Record the result of a call that was sent. The first result is kept."""
        self.database.execute(
            "UPDATE connection SET state = ?, result = ? WHERE id = ? AND state = ?",
            (State.COMPLETED, json.dumps(asdict(result)), key, State.SENT),
        )

    def record_rejection(self, key: str, result: Result) -> None:
        """Record that the call is never sent, and why. An earlier result is kept."""
        self.database.execute(
            "UPDATE connection SET state = ?, result = ? WHERE id = ? AND state = ?",
            (State.COMPLETED, json.dumps(asdict(result)), key, State.NOT_SENT),
        )

    def record_stop(self, key: str, charger: str) -> None:
        """Record that this id starts nothing from now on, also if it is not known yet. Raises Mismatch."""
        if self.charger_of(key) not in (None, charger):
            raise Mismatch
        self.database.execute("INSERT OR IGNORE INTO stop VALUES (?, ?, ?)", (key, charger, time.time()))
        row = self.database.execute("SELECT charger FROM stop WHERE id = ?", (key,)).fetchone()
        if row != (charger,):
            raise Mismatch

    def is_stopped(self, key: str, charger: str | None = None) -> bool:
        """Return whether the id was stopped, at `charger` if that is given."""
        row = self.database.execute("SELECT charger FROM stop WHERE id = ?", (key,)).fetchone()
        return row is not None and charger in (None, row[0])

    def add_charger(self, charger: str) -> None:
        """Record a charger's identity."""
        self.database.execute("INSERT OR IGNORE INTO charger VALUES (?)", (charger,))

    def charger_identities(self) -> list[str]:
        """Return every recorded identity."""
        return [row[0] for row in self.database.execute("SELECT identity FROM charger ORDER BY identity")]


def hash_token(token: str) -> str:
    """Return what is stored of a token."""
    return sha256(token.encode()).hexdigest()

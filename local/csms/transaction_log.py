"""The durable record of the transactions that the chargers report, each with the start that caused it, if that is certain."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.csms.store import State, hash_token
from local.ocppj import parse_time

if TYPE_CHECKING:
    from local.csms.store import Store
    from local.csms.version import Begin

LONGEST_START_SECONDS = 600
"""How long after a start its transaction may begin: a charger waits for a cable."""
CLOCK_TOLERANCE_SECONDS = 60
"""By how much a charger's clock may differ from the server's."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS charge (     -- "transaction" is a word of SQL
    charger    TEXT NOT NULL,
    id         TEXT NOT NULL,
    connection TEXT,                    -- the start that caused it; NULL if that is not certain
    connector  INTEGER NOT NULL,
    token      TEXT,                    -- its SHA-256; NULL if no message named it
    meter      INTEGER NOT NULL,
    started    TEXT NOT NULL,           -- the charger's clock
    stopped    TEXT,
    created    REAL NOT NULL,
    PRIMARY KEY (charger, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_connection ON charge (connection);
"""


@dataclass(frozen=True, slots=True)
class Charge:
    """A transaction. Times are the charger's; `stopped` is None while it runs, as far as the server knows."""

    id: str
    connector: int
    started: str
    stopped: str | None


class TransactionLog:
    """The transactions in the store's database."""

    def __init__(self, store: Store) -> None:
        self._database = store.database
        self._database.executescript(_SCHEMA)
        store.delete_old("charge")

    def begin(self, charger: str, begin: Begin) -> tuple[str, str | None]:
        """Record a transaction, and return its id and the id of the start that caused it, or None.

        A charger sends the message again until it receives a result; the transaction keeps its id and its start.
        """
        token = hash_token(begin.token) if begin.token is not None else None
        id_ = begin.id or self._find_repeated(charger, begin, token) or self._next_id()
        self._database.execute(
            "INSERT OR IGNORE INTO charge VALUES (?, ?, NULL, ?, ?, ?, ?, NULL, ?)",
            (charger, id_, begin.connector, token, begin.meter, begin.at, time.time()),
        )
        # Messages of OCPP 2.0.1 can arrive in any order, and only some of them name the EVSE and the token.
        self._database.execute(
            "UPDATE charge SET started = min(started, ?), connector = max(connector, ?), token = coalesce(token, ?)"
            " WHERE charger = ? AND id = ?",
            (begin.at, begin.connector, token, charger, id_),
        )
        connection = self._connection_of(charger, id_)
        if connection is None and (connection := self._find_start(charger, begin, token)):
            self._database.execute(
                "UPDATE charge SET connection = ? WHERE charger = ? AND id = ?", (connection, charger, id_)
            )
        return id_, connection

    def end(self, charger: str, id_: str, at: str) -> None:
        """Record that a transaction has ended. The first time is kept."""
        self._database.execute(
            "UPDATE charge SET stopped = ? WHERE charger = ? AND id = ? AND stopped IS NULL",
            (at, charger, id_),
        )

    def caused_by(self, connection: str) -> list[Charge]:
        """Return the transactions that a start caused, the earliest first."""
        rows = self._database.execute(
            "SELECT id, connector, started, stopped FROM charge WHERE connection = ? ORDER BY started, id",
            (connection,),
        )
        return [Charge(*row) for row in rows]

    def running_though_stopped(self, charger: str) -> list[str]:
        """Return the ids of the charger's running transactions whose starts were stopped."""
        rows = self._database.execute(
            "SELECT charge.id FROM charge JOIN stop ON stop.id = charge.connection"
            " WHERE charge.charger = ? AND charge.stopped IS NULL ORDER BY charge.started",
            (charger,),
        )
        return [row[0] for row in rows]

    def is_running(self, charger: str, id_: str) -> bool:
        """Return whether no message has reported the transaction's end."""
        row = self._database.execute(
            "SELECT stopped FROM charge WHERE charger = ? AND id = ?", (charger, id_)
        ).fetchone()
        return row is not None and row[0] is None

    def _connection_of(self, charger: str, id_: str) -> str | None:
        row = self._database.execute(
            "SELECT connection FROM charge WHERE charger = ? AND id = ?", (charger, id_)
        ).fetchone()
        return row[0] if row else None

    def _find_repeated(self, charger: str, begin: Begin, token: str | None) -> str | None:
        row = self._database.execute(
            "SELECT id FROM charge"
            " WHERE charger = ? AND connector = ? AND token = ? AND started = ? AND meter = ?",
            (charger, begin.connector, token, begin.at, begin.meter),
        ).fetchone()
        return row[0] if row else None

    def _next_id(self) -> str:
        # Never the id of an older transaction, also if the file was lost: a charger may still report that one's end.
        (last,) = self._database.execute(
            "SELECT coalesce(max(CAST(id AS INTEGER)), 0) FROM charge"
        ).fetchone()
        return str(max(last + 1, int(time.time())))

    def _find_start(self, charger: str, begin: Begin, token: str | None) -> str | None:
        """Return the only start that can have caused a transaction, else None.

        OCPP 2.0.1 names it by the remoteStartId. In OCPP 1.6, charger, token, connector and time must agree with a start that
        was sent, was not rejected, and has caused no other transaction.
        """
        if begin.remote_start_id is not None:
            rows = self._database.execute(
                "SELECT id FROM connection WHERE charger = ? AND remote_start_id = ? AND state != ?",
                (charger, begin.remote_start_id, State.NOT_SENT),
            ).fetchall()
        elif begin.id is None:
            at = parse_time(begin.at).timestamp()
            rows = self._database.execute(
                "SELECT id, result FROM connection WHERE charger = ? AND token = ? AND state != ?"
                " AND (connector IS NULL OR connector = ?) AND coalesce(sent, created) BETWEEN ? AND ?"
                " AND NOT EXISTS (SELECT 1 FROM charge WHERE charge.connection = connection.id)",
                (
                    charger,
                    token,
                    State.NOT_SENT,
                    begin.connector,
                    at - LONGEST_START_SECONDS,
                    at + CLOCK_TOLERANCE_SECONDS,
                ),
            ).fetchall()
            rows = [row for row in rows if not (row[1] and json.loads(row[1])["status"] == "Rejected")]
        else:
            rows = []
        return rows[0][0] if len(rows) == 1 else None

"""The native dialect's operations on a start that was requested before: read what became of it, and stop it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocpp.exceptions import OCPPError

from local.csms.results import NOT_STARTED_ERRORS, Result
from local.csms.store import State
from local.ocppj import CallFailed, Disconnected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.csms.chargers import Chargers
    from local.csms.connections import Connections
    from local.csms.store import Store
    from local.csms.transaction_log import Charge, TransactionLog
    from local.csms.version import Begin, End

RETRY_SECONDS = 1.0
"""Pause before a rejected stop is sent again: a charger may not have read its transaction's id yet."""
_MAX_TRIES = 10
_STOP_SECONDS = 60.0
"""How long a stop without a caller waits for its turn and for the charger's answer."""


class ConnectionUnknown(Exception):
    """No start with this id has arrived for this charger, and it was not stopped."""


class StopNotSent(Exception):
    """The charger was busy with another call for the whole wait. The id is stopped all the same."""


class NoStopResult(Exception):
    """The charger did not answer a stop in time. The id is stopped all the same."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What the server knows of a start. `cancelled`: it was stopped, and starts nothing any more."""

    id: str
    charger: str
    state: str
    cancelled: bool
    result: Result | None
    charges: Sequence[Charge]


@dataclass(frozen=True, slots=True)
class Stop:
    """The outcome of a stop: `Accepted`, `Rejected` or `Unavailable`."""

    status: str
    info: str | None = None


class Transactions:
    """The charges of the chargers, and the starts that caused them. It is the recorder of the chargers' reports."""

    def __init__(
        self, store: Store, log: TransactionLog, chargers: Chargers, connections: Connections
    ) -> None:
        self._store = store
        self._log = log
        self._chargers = chargers
        self._connections = connections
        self._tasks: set[asyncio.Task[None]] = set()

    def booted(self, charger: str) -> None:
        """Stop what still runs although it was stopped, also before a restart of this server."""
        for transaction in self._log.running_though_stopped(charger):
            self._stop_soon(charger, transaction)

    def began(self, charger: str, begin: Begin) -> str:
        """Record a transaction, and return its id. It is stopped at once if its start was stopped."""
        id_, connection = self._log.begin(charger, begin)
        if connection is not None:
            if begin.remote_start_id is not None:
                result = Result(charger, begin.connector, "NoError", begin.status, None)
                self._connections.prove_accepted(connection, result)
            if self._store.is_stopped(connection) and self._log.is_running(charger, id_):
                self._stop_soon(charger, id_)
        return id_

    def ended(self, charger: str, end: End) -> None:
        """Record that a transaction has ended."""
        self._log.end(charger, end.id, end.at)

    def find(self, charger: str, key: str) -> Connection:
        """Return what is known of a start. Raises ConnectionUnknown."""
        known = self._store.charger_of(key) == charger
        cancelled = self._store.is_stopped(key, charger)
        if not known:
            if not cancelled:
                raise ConnectionUnknown
            return Connection(key, charger, "not-sent", cancelled, None, ())
        record, charges = self._store.read(key), self._log.caused_by(key)
        return Connection(key, charger, _state(record.state, charges), cancelled, record.result, charges)

    async def stop(self, charger: str, key: str, wait: float) -> tuple[Connection, Stop]:
        """Record that this id starts nothing any more, stop what it started, and return what is known then.

        Raises Mismatch, StopNotSent, NoStopResult.
        """
        self._store.record_stop(key, charger)
        connection = self.find(charger, key)
        if stop := _decide(connection):
            return connection, stop
        running = [charge.id for charge in connection.charges if charge.stopped is None]
        deadline = asyncio.get_running_loop().time() + wait
        statuses = [await self._send_stop(charger, transaction, deadline) for transaction in running]
        connection = self.find(charger, key)
        status = next((status for status in statuses if status != "Accepted"), "Accepted")
        # A charger rejects the stop of a transaction that has ended in the meantime.
        return connection, (status == "Rejected" and _decide(connection)) or Stop(status)

    async def close(self) -> None:
        """Cancel the stops in progress."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send_stop(self, charger_id: str, transaction: str, deadline: float) -> str:
        """Return the charger's answer to a stop, or `Unavailable`. Raises StopNotSent, NoStopResult."""
        charger = self._chargers.by_identity.get(charger_id)
        session = charger.connected if charger else None
        try:
            async with asyncio.timeout_at(deadline):
                if session is None or not await session.acquire_turn():
                    return "Unavailable"
        except TimeoutError:
            raise StopNotSent from None
        try:
            async with asyncio.timeout_at(deadline):
                answer = await session.send_in_turn(session.ocpp.stop(transaction))
                # Shielded: the turn ends with the charger's answer, not with our timeout.
                return str((await asyncio.shield(answer))["status"])
        except CallFailed as failure:
            if failure.code in NOT_STARTED_ERRORS:
                return "Rejected"
            raise NoStopResult from None
        except (TimeoutError, Disconnected, OCPPError):
            raise NoStopResult from None

    def _stop_soon(self, charger: str, transaction: str) -> None:
        task = asyncio.create_task(self._stop_until_accepted(charger, transaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop_until_accepted(self, charger: str, transaction: str) -> None:
        # If the charger disconnects or does not answer, its next BootNotification causes another stop.
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(StopNotSent, NoStopResult):
            for _ in range(_MAX_TRIES):
                if await self._send_stop(charger, transaction, clock() + _STOP_SECONDS) != "Rejected":
                    return
                await asyncio.sleep(RETRY_SECONDS)
                if not self._log.is_running(charger, transaction):
                    return


def _state(state: State, charges: Sequence[Charge]) -> str:
    if charges:
        return "started" if any(charge.stopped is None for charge in charges) else "stopped"
    return "answered" if state is State.COMPLETED else str(state)


def _decide(connection: Connection) -> Stop | None:
    """Return the outcome of a stop that needs no call to the charger, else None."""
    rejected = connection.result is not None and connection.result.status == "Rejected"
    if connection.state == "not-sent" or (connection.state == "answered" and rejected):
        return Stop("Accepted", "nothing-started")
    if connection.state == "stopped":
        return Stop("Accepted", "already-stopped")
    if connection.state in ("sent", "answered"):
        return Stop("Accepted", "stop-recorded")
    return None

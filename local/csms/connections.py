"""The native dialect's operations: start a charge at most once per id, and read a charger's status."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ocpp.exceptions import OCPPError

from local.csms.results import (
    NOT_STARTED_ERRORS,
    Result,
    accepted,
    offline,
    rejected,
    rejected_by_charger,
    remote_start_id,
)
from local.csms.store import State, Stopped
from local.ocppj import CallFailed, Disconnected

if TYPE_CHECKING:
    from local.csms.chargers import Charger, Chargers, Session
    from local.csms.store import Store

QUIET_SECONDS = 60
"""Seconds after a start without a status request: the request can make the charger's own StartTransaction fail."""
STATUS_TIMEOUT = 3
"""Seconds in which a charger must report a requested status."""


class ChargerUnknown(Exception):
    """No charger of this identity was ever connected or configured."""


class NotSent(Exception):
    """The wait is over. No call was sent, and none will be."""


class NoResult(Exception):
    """A call was sent, or may have been sent before a crash, and its result is not known."""


class StatusUnknown(Exception):
    """The charger is connected, but has reported no status."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start requested under `id`; `connector` is None if the charger may choose one."""

    id: str
    charger: str
    token: str
    connector: int | None


class Connections:
    """The state that both operations share: the store, the chargers, and the calls in progress."""

    def __init__(self, store: Store, chargers: Chargers) -> None:
        self._store = store
        self._chargers = chargers
        self._clock = asyncio.get_running_loop().time
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._results: dict[str, asyncio.Future[Result | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, start: Start, wait: float) -> Result:
        """Send the start, at most once per id and only within the next `wait` seconds, and return its result.

        Raises ChargerUnknown, Mismatch, Stopped, NotSent, NoResult.
        """
        deadline = self._clock() + wait
        charger = self._charger(start.charger)
        self._store.claim(start.id, start.charger, start.token, remote_start_id(start.id))
        try:
            async with asyncio.timeout_at(deadline):
                return await self._connect(start, charger, deadline)
        except TimeoutError:
            if self._store.read(start.id).state is State.NOT_SENT:
                raise NotSent from None
            raise NoResult from None

    async def status(self, charger_id: str, connector: int | None, wait: float) -> Result:
        """Return the charger's status. It is requested from the charger only if that disturbs nothing; else the last report counts.

        Raises ChargerUnknown, StatusUnknown.
        """
        charger = self._charger(charger_id)
        session = charger.connected
        if session is None:
            return offline(charger_id, connector)
        if session.idle and self._clock() - charger.last_start > QUIET_SECONDS:
            with contextlib.suppress(TimeoutError, CallFailed, Disconnected, OCPPError):
                async with asyncio.timeout(min(wait, STATUS_TIMEOUT)):
                    await self._request_status(session, charger, connector)
        report = charger.report(connector)
        if report is None:
            raise StatusUnknown
        return Result(charger_id, report.connector, report.error_code, report.status, None)

    def prove_accepted(self, key: str, result: Result) -> None:
        """Record that a start was accepted: a transaction names it, even if the charger's answer got lost."""
        self._settle(key, result)

    async def close(self) -> None:
        """Cancel every call in progress."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _charger(self, charger_id: str) -> Charger:
        charger = self._chargers.by_identity.get(charger_id)
        if charger is None:
            raise ChargerUnknown
        return charger

    async def _connect(self, start: Start, charger: Charger, deadline: float) -> Result:
        # Repeated requests wait here while the first one waits for its turn. Once it has sent, they share its result.
        async with self._queues.setdefault(start.id, asyncio.Lock()):
            if self._store.read(start.id).state is State.NOT_SENT:
                session = charger.connected
                if session is None:
                    return offline(start.charger, start.connector)
                if len(start.token) > session.ocpp.token_limit:
                    # A later request with this id must not start what was rejected.
                    rejection = rejected(start.charger, start.connector, "token-too-long")
                    self._store.record_rejection(start.id, rejection)
                    return rejection
                if not await session.acquire_turn():
                    return offline(start.charger, start.connector)
                self._send(start, session, charger, deadline)
                if self._store.read(start.id).state is State.NOT_SENT:
                    raise Stopped
        pending = self._results.get(start.id)
        result = await asyncio.shield(pending) if pending else self._store.read(start.id).result
        if result is None:
            raise NoResult
        return result

    def _send(self, start: Start, session: Session, charger: Charger, deadline: float) -> None:
        if self._clock() >= deadline:
            session.release_turn()
            raise TimeoutError
        if not self._store.mark_sent(start.id, start.connector):
            session.release_turn()
            return
        self._results[start.id] = asyncio.get_running_loop().create_future()
        charger.last_start = self._clock()
        task = asyncio.create_task(self._call_start(start, session, charger))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_start(self, start: Start, session: Session, charger: Charger) -> None:
        result: Result | None = None
        sent = self._clock()
        try:
            call = session.ocpp.start(start.token, start.connector, remote_start_id(start.id))
            payload = await (await session.send_in_turn(call))
        except CallFailed as failure:
            if failure.code in NOT_STARTED_ERRORS:
                result = rejected(start.charger, start.connector, "not-supported")
        except (Disconnected, OCPPError):
            pass
        else:
            if payload["status"] == "Accepted":
                result = accepted(start.charger, start.connector, charger.reports, sent)
            else:
                reason = payload.get("statusInfo", {}).get("reasonCode")
                report = charger.reports.get(start.connector or 0)
                result = rejected_by_charger(start.charger, start.connector, reason, report)
        self._settle(start.id, result)

    def _settle(self, key: str, result: Result | None) -> None:
        if result is not None:
            self._store.record_result(key, result)
        pending = self._results.pop(key, None)
        if pending is not None and not pending.done():
            pending.set_result(self._store.read(key).result)

    async def _request_status(self, session: Session, charger: Charger, connector: int | None) -> None:
        known = charger.report(connector)
        wanted = connector if connector is not None or known is None else known.connector
        requested = self._clock()
        if not await session.acquire_turn():
            return
        # Shielded: the turn ends with the charger's result, not with our timeout.
        payload = await asyncio.shield(await session.send_in_turn(session.ocpp.trigger(wanted)))
        if payload["status"] != "Accepted":
            return
        while not ((report := charger.report(wanted)) and report.at > requested):
            await charger.changed.wait()

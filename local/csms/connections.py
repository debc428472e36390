"""Connecting a token to a charger at most once per id, and asking how a charger is."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ocpp.exceptions import OCPPError

from local.csms.answer import REFUSING_ERRORS, Answer, accepted, offline, refused, rejected, remote_start_id
from local.csms.store import State
from local.ocppj import CallFailed, Disconnected

if TYPE_CHECKING:
    from local.csms.chargers import Charger, Chargers, Session
    from local.csms.store import Store

QUIET_SECONDS = 60
"""How long after a start a charger is not asked for its status: the question can make its own StartTransaction fail."""
STATUS_SECONDS = 3
"""How long a charger may take to tell a status that it was asked for."""


class ChargerUnknown(Exception):
    """No charger of that identity was ever known here."""


class NotSent(Exception):
    """The wait is over, and no call has left nor will."""


class NoAnswer(Exception):
    """A call has left, or may have left before a crash, and its answer is not known."""


class StatusUnknown(Exception):
    """The charger is connected, but has told no status."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start asked for under `id`; `connector` is None where any will do."""

    id: str
    charger: str
    token: str
    connector: int | None


class Connections:
    """The native dialect's two operations."""

    def __init__(self, store: Store, chargers: Chargers) -> None:
        self._store = store
        self._chargers = chargers
        self._clock = asyncio.get_running_loop().time
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._outcomes: dict[str, asyncio.Future[Answer | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, start: Start, wait: float) -> Answer:
        """What became of the start, which leaves at most once, and only within `wait` seconds from now.

        ChargerUnknown, Mismatch, NotSent, NoAnswer.
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
            raise NoAnswer from None

    async def status(self, charger_id: str, connector: int | None, wait: float) -> Answer:
        """How the charger is; nothing is started. It is asked only where that disturbs nothing, else its last report is
        told. ChargerUnknown, StatusUnknown."""
        charger = self._charger(charger_id)
        session = charger.connected
        if session is None:
            return offline(charger_id, connector)
        if session.idle and self._clock() - charger.last_start > QUIET_SECONDS:
            with contextlib.suppress(TimeoutError, CallFailed, Disconnected, OCPPError):
                async with asyncio.timeout(min(wait, STATUS_SECONDS)):
                    await self._ask_status(session, charger, connector)
        report = charger.report(connector)
        if report is None:
            raise StatusUnknown
        return Answer(charger_id, report.connector, report.error_code, report.status, None)

    def started(self, charger_id: str, remote_start_id: int, connector: int, status: str) -> None:
        """A transaction names the start that caused it: that start was accepted, whatever became of its answer."""
        key = self._store.sent_as(charger_id, remote_start_id)
        if key is not None:
            self._settle(key, Answer(charger_id, connector, "NoError", status, None))

    async def close(self) -> None:
        """Gives up every call under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _charger(self, charger_id: str) -> Charger:
        charger = self._chargers.by_identity.get(charger_id)
        if charger is None:
            raise ChargerUnknown
        return charger

    async def _connect(self, start: Start, charger: Charger, deadline: float) -> Answer:
        # Repeats queue here while the first waits for the charger to be free; once it has sent, they join it.
        async with self._queues.setdefault(start.id, asyncio.Lock()):
            if self._store.read(start.id).state is State.NOT_SENT:
                session = charger.connected
                if session is None:
                    return offline(start.charger, start.connector)
                if len(start.token) > session.ocpp.token_limit:
                    # Recorded: a request under this id that arrives later must not start what was rejected.
                    declined = rejected(start.charger, start.connector, "token-too-long")
                    self._store.declined(start.id, declined)
                    return declined
                if not await session.win_turn():
                    return offline(start.charger, start.connector)
                self._send(start, session, charger, deadline)
        outcome = self._outcomes.get(start.id)
        answer = await asyncio.shield(outcome) if outcome else self._store.read(start.id).answer
        if answer is None:
            raise NoAnswer
        return answer

    def _send(self, start: Start, session: Session, charger: Charger, deadline: float) -> None:
        if self._clock() >= deadline:
            session.give_up_turn()
            raise TimeoutError
        if not self._store.sending(start.id):
            session.give_up_turn()
            return
        self._outcomes[start.id] = asyncio.get_running_loop().create_future()
        charger.last_start = self._clock()
        task = asyncio.create_task(self._ask_start(start, session, charger))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_start(self, start: Start, session: Session, charger: Charger) -> None:
        answer: Answer | None = None
        sent = self._clock()
        try:
            call = session.ocpp.start(start.token, start.connector, remote_start_id(start.id))
            reply = await (await session.ask(call))
        except CallFailed as failure:
            if failure.code in REFUSING_ERRORS:
                answer = rejected(start.charger, start.connector, "not-supported")
        except (Disconnected, OCPPError):
            pass
        else:
            if reply["status"] == "Accepted":
                answer = accepted(start.charger, start.connector, charger.reports, sent)
            else:
                reason = reply.get("statusInfo", {}).get("reasonCode")
                known = charger.reports.get(start.connector or 0)
                answer = refused(start.charger, start.connector, reason, known)
        self._settle(start.id, answer)

    def _settle(self, key: str, answer: Answer | None) -> None:
        if answer is not None:
            self._store.answered(key, answer)
        outcome = self._outcomes.pop(key, None)
        if outcome is not None and not outcome.done():
            outcome.set_result(self._store.read(key).answer)

    async def _ask_status(self, session: Session, charger: Charger, connector: int | None) -> None:
        known = charger.report(connector)
        wanted = connector if connector is not None or known is None else known.connector
        asked = self._clock()
        if not await session.win_turn():
            return
        # Shielded: the turn ends with the charger's answer, not with our patience.
        reply = await asyncio.shield(await session.ask(session.ocpp.trigger(wanted)))
        if reply["status"] != "Accepted":
            return
        while not ((report := charger.report(wanted)) and report.at > asked):
            await charger.changed.wait()

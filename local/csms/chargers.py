"""The chargers that the server knows, and the WebSocket that each one has, if any."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from websockets.protocol import State

from local.csms.answer import Report
from local.csms.v16 import V16
from local.csms.v201 import V201
from local.ocppj import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from websockets.asyncio.server import ServerConnection

    from local.csms.version import Call, Version

_VERSIONS = {"1.6": V16, "2.0.1": V201}


class Charger:
    """One charger, connected or not. Times are the event loop's."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.session: Session | None = None
        self.reports: dict[int, Report] = {}
        self.changed = asyncio.Event()
        self.last_start = float("-inf")

    @property
    def connected(self) -> Session | None:
        """The WebSocket, while it is open: it is closed when no pong came within the ping window."""
        return self.session if self.session and self.session.open else None

    def report(self, connector: int | None) -> Report | None:
        """The last report on `connector`; without one, on the lowest that reported, the station itself (0) last."""
        if connector is not None:
            return self.reports.get(connector)
        return min(
            self.reports.values(), key=lambda report: (report.connector == 0, report.connector), default=None
        )


class Session(Peer):
    """One WebSocket of a charger: one call to it at a time, and none before its BootNotification is accepted."""

    def __init__(
        self,
        websocket: ServerConnection,
        charger: Charger,
        on_started: Callable[[str, int, int, str], None],
        call_timeout: float,
    ) -> None:
        version = (websocket.subprotocol or "").removeprefix("ocpp")
        self.ocpp: Version = _VERSIONS[version]
        super().__init__(websocket, self.ocpp.handlers(self))
        self._charger = charger
        self._on_started = on_started
        self._call_timeout = call_timeout
        self._clock = asyncio.get_running_loop().time
        self._accepted = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def open(self) -> bool:
        return self.websocket.state is State.OPEN

    @property
    def idle(self) -> bool:
        """Whether the charger may be asked something at once."""
        return self.open and self._accepted.is_set() and not self._turn.locked()

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._accepted.set()  # wakes who waits for a turn: `win_turn` then finds the WebSocket closed

    async def win_turn(self) -> bool:
        """Waits until this charger may be asked. False if its WebSocket ended first; then nothing is held."""
        await self._accepted.wait()
        await self._turn.acquire()
        if self.open:
            return True
        self._turn.release()
        return False

    def give_up_turn(self) -> None:
        self._turn.release()

    async def ask(self, call: Call) -> asyncio.Future[dict[str, Any]]:
        """Sends the call for which the turn was won. The turn ends with its answer, or when that takes too long; the
        answer is taken even then."""
        try:
            answer = await self.send(*call)
        except BaseException:
            self._turn.release()
            raise
        patience = self.spawn(asyncio.wait({answer}, timeout=self._call_timeout))
        patience.add_done_callback(lambda _: self._turn.release())
        return answer

    def booted(self) -> None:
        self._accepted.set()

    def reported(self, connector: int, status: str, error_code: str) -> None:
        self._charger.reports[connector] = Report(connector, status, error_code, self._clock())
        self._charger.changed.set()
        self._charger.changed = asyncio.Event()

    def started(self, remote_start_id: int, connector: int, status: str) -> None:
        self._on_started(self._charger.identity, remote_start_id, connector, status)


class Chargers:
    """Every known charger by its identity."""

    def __init__(self, known: Iterable[str], call_timeout: float) -> None:
        """`call_timeout`: seconds after which a silent charger may be asked the next thing."""
        self.by_identity = {identity: Charger(identity) for identity in known}
        self._call_timeout = call_timeout

    async def serve(
        self, websocket: ServerConnection, identity: str, on_started: Callable[[str, int, int, str], None]
    ) -> None:
        """Holds a charger's WebSocket until it ends. A newer one of the same charger replaces it."""
        charger = self.by_identity.setdefault(identity, Charger(identity))
        session = Session(websocket, charger, on_started, self._call_timeout)
        older, charger.session = charger.session, session
        if older:
            older.websocket.transport.abort()
        try:
            await session.run()
        finally:
            if charger.session is session:
                charger.session = None

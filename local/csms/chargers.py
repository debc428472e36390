"""The chargers that the server knows, and their WebSockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from websockets.protocol import State

from local.csms.results import Report
from local.csms.v16 import V16
from local.csms.v201 import V201
from local.ocppj import Peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from websockets.asyncio.server import ServerConnection

    from local.csms.recorder import Recorder
    from local.csms.version import Begin, Call, End, Version

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
        """The WebSocket while it is open. The server closes it if no pong arrives within the ping window."""
        return self.session if self.session and self.session.open else None

    def report(self, connector: int | None) -> Report | None:
        """Return the last report of `connector`, or of the lowest connector that reported; the station itself (0) is last."""
        if connector is not None:
            return self.reports.get(connector)
        return min(
            self.reports.values(), key=lambda report: (report.connector == 0, report.connector), default=None
        )


class Session(Peer):
    """One WebSocket of a charger. It carries one call to the charger at a time, and none before the BootNotification is accepted."""

    def __init__(
        self,
        websocket: ServerConnection,
        charger: Charger,
        recorder: Recorder,
        call_timeout: float,
    ) -> None:
        version = (websocket.subprotocol or "").removeprefix("ocpp")
        self.ocpp: Version = _VERSIONS[version]
        super().__init__(websocket, self.ocpp.handlers(self))
        self._charger = charger
        self._recorder = recorder
        self._call_timeout = call_timeout
        self._clock = asyncio.get_running_loop().time
        self._accepted = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def open(self) -> bool:
        return self.websocket.state is State.OPEN

    @property
    def idle(self) -> bool:
        """Whether a call can be sent at once."""
        return self.open and self._accepted.is_set() and not self._turn.locked()

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._accepted.set()  # wakes `acquire_turn`, which then finds the WebSocket closed

    async def acquire_turn(self) -> bool:
        """Wait until a call may be sent, and reserve the turn. Return False, without a turn, if the WebSocket closed first."""
        await self._accepted.wait()
        await self._turn.acquire()
        if self.open:
            return True
        self._turn.release()
        return False

    def release_turn(self) -> None:
        self._turn.release()

    async def send_in_turn(self, call: Call) -> asyncio.Future[dict[str, Any]]:
        """Send a call after `acquire_turn`. The turn ends with the result or after the call timeout.

        The future still receives a result that arrives after the timeout.
        """
        try:
            result = await self.send(*call)
        except BaseException:
            self._turn.release()
            raise
        waiting = self.spawn(asyncio.wait({result}, timeout=self._call_timeout))
        waiting.add_done_callback(lambda _: self._turn.release())
        return result

    def booted(self) -> None:
        self._accepted.set()
        self._recorder.booted(self._charger.identity)

    def reported(self, connector: int, status: str, error_code: str) -> None:
        self._charger.reports[connector] = Report(connector, status, error_code, self._clock())
        self._charger.changed.set()
        self._charger.changed = asyncio.Event()

    def began(self, begin: Begin) -> str:
        return self._recorder.began(self._charger.identity, begin)

    def ended(self, end: End) -> None:
        self._recorder.ended(self._charger.identity, end)


class Chargers:
    """Every known charger, by identity."""

    def __init__(self, known: Iterable[str], call_timeout: float) -> None:
        """`call_timeout`: seconds after which the next call may be sent to a charger that has not answered."""
        self.by_identity = {identity: Charger(identity) for identity in known}
        self._call_timeout = call_timeout

    async def serve(self, websocket: ServerConnection, identity: str, recorder: Recorder) -> None:
        """Serve a charger's WebSocket until it closes. A newer one of the same charger replaces it."""
        charger = self.by_identity.setdefault(identity, Charger(identity))
        session = Session(websocket, charger, recorder, self._call_timeout)
        older, charger.session = charger.session, session
        if older:
            older.websocket.transport.abort()
        try:
            await session.run()
        finally:
            if charger.session is session:
                charger.session = None

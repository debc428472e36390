"""A charge point: it keeps a WebSocket to its server, takes starts, and charges for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import quote

from ocpp.exceptions import InternalError, NotSupportedError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from local.chargers.behaviours import Behaviour, Reaction
from local.chargers.messages import SPEECHES, Speech, Start, Transaction
from local.ocppj import CallFailed, Disconnected, Payload, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from local.ocppj import Message

FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
"""Seconds between attempts to connect: doubled from the first to the longest."""
_REMEMBERED = 20
_GLANCE = 0.05
"""Seconds between two looks at a behaviour that may have changed."""


class ChargePoint:
    """`starts` are the starts received, in order; `record` hears of each before it is answered. `messages` are the last
    ones that went by, heartbeats left out."""

    def __init__(
        self, behaviour: Behaviour, url: str, record: Callable[[Start], None] = lambda _: None
    ) -> None:
        """`url` is the server's; the identity becomes its last segment."""
        self.behaviour = behaviour
        self.starts: list[Start] = []
        self.messages: deque[Message] = deque(maxlen=_REMEMBERED)
        self._record = record
        self._url = f"{url}/{quote(behaviour.identity, safe='')}"
        self._speech: Speech = SPEECHES[behaviour.version]
        self._statuses = dict.fromkeys(range(1, behaviour.connectors + 1), "Available")
        self._peer: Peer | None = None
        self._calling = asyncio.Lock()
        self._charges: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Connects, and connects again whenever the WebSocket ends, until it is cancelled."""
        delay = FIRST_DELAY
        try:
            while True:
                while not self.behaviour.online:
                    await asyncio.sleep(_GLANCE)
                with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                    subprotocol = Subprotocol(f"ocpp{self.behaviour.version}")
                    async with connect(
                        self._url, subprotocols=[subprotocol], proxy=None, close_timeout=1
                    ) as websocket:
                        delay = FIRST_DELAY
                        peer = Peer(websocket, self._handlers(), self._overhear)
                        peer.spawn(self._live(peer))
                        peer.spawn(self._leave_when_offline(peer))
                        await peer.run()
                self._peer = None
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)
        finally:
            for charge in self._charges:
                charge.cancel()
            await asyncio.gather(*self._charges, return_exceptions=True)

    @property
    def connected(self) -> bool:
        """Whether the server has accepted it on the WebSocket that it has."""
        return self._peer is not None

    @property
    def statuses(self) -> dict[int, str]:
        """Each connector's status in the words of OCPP 1.6, as the server is told."""
        return {connector: self._status(connector) for connector in self._statuses}

    def cut(self) -> None:
        """Breaks the WebSocket off, as a network does. It is made anew at once."""
        if self._peer:
            self._peer.websocket.transport.abort()

    def _overhear(self, message: Message) -> None:
        if message.action != "Heartbeat":
            self.messages.append(message)

    async def _live(self, peer: Peer) -> None:
        with contextlib.suppress(Disconnected, TimeoutError):
            while (boot := await peer.call("BootNotification", self._speech.boot()))["status"] != "Accepted":
                await asyncio.sleep(boot["interval"])
            self._peer = peer
            for connector in self._statuses:
                await self._tell(connector)
            while True:
                await asyncio.sleep(boot["interval"])
                await self._call(peer, "Heartbeat", {})

    async def _leave_when_offline(self, peer: Peer) -> None:
        while self.behaviour.online:
            await asyncio.sleep(_GLANCE)
        with contextlib.suppress(ConnectionClosed):
            await peer.websocket.close()

    def _handlers(self) -> dict[str, Callable[[Payload], Coroutine[Any, Any, Payload]]]:
        return {self._speech.start_action: self._take_start, "TriggerMessage": self._trigger}

    async def _trigger(self, payload: Payload) -> Payload:
        if payload["requestedMessage"] != "StatusNotification":
            return {"status": "NotImplemented"}
        asked = payload.get("connectorId", payload.get("evse", {}).get("id"))
        connectors = [asked] if asked else list(self._statuses)
        if not self._statuses.keys() >= set(connectors):
            return {"status": "Rejected"}
        for connector in connectors:
            self._begin(self._tell(connector))
        return {"status": "Accepted"}

    async def _take_start(self, payload: Payload) -> Payload:
        start = self._speech.read_start(self.behaviour.identity, payload)
        self._record(start)
        self.starts.append(start)
        while self.behaviour.reaction is Reaction.SILENT:
            await asyncio.sleep(_GLANCE)
        reaction = self.behaviour.reaction
        if reaction is Reaction.NOT_SUPPORTED:
            raise NotSupportedError
        if reaction is Reaction.FAIL:
            raise InternalError
        connector = self._free(start.connector)
        if reaction is Reaction.REJECT or connector is None:
            return {"status": "Rejected"}
        self._statuses[connector] = "Preparing"
        if reaction is Reaction.DROP:
            self._begin(self._charge(connector, start))
            self.cut()
            await asyncio.Event().wait()
        try:
            await asyncio.sleep(self.behaviour.delay)
        except asyncio.CancelledError:
            self._statuses[connector] = "Available"
            raise
        self._begin(self._charge(connector, start))
        return {"status": "Accepted"}

    def _free(self, asked: int | None) -> int | None:
        for connector, status in self._statuses.items():
            if asked in (None, connector) and status == "Available" and connector not in self.behaviour.busy:
                return connector
        return None

    async def _charge(self, connector: int, start: Start) -> None:
        await self._become(connector, "Preparing")
        if self.behaviour.cable:
            transaction = Transaction(connector, start.token, start.remoteStartId)
            await self._speech.begin(transaction, self._deliver)
            await self._become(connector, "Charging")
            await asyncio.sleep(self.behaviour.charge_seconds)
            await self._speech.end(transaction, self._deliver)
            await self._become(connector, "Finishing")
        else:
            await asyncio.sleep(self.behaviour.cable_seconds)
        await self._become(connector, "Available")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._charges.add(task)
        task.add_done_callback(self._charges.discard)

    async def _become(self, connector: int, status: str) -> None:
        self._statuses[connector] = status
        await self._tell(connector)

    async def _tell(self, connector: int) -> None:
        """Tells a connector's status. What cannot be told now is told after the next connection."""
        if self._peer:
            status = self._speech.status(connector, self._status(connector))
            with contextlib.suppress(Disconnected, TimeoutError, CallFailed):
                await self._call(self._peer, "StatusNotification", status)

    def _status(self, connector: int) -> str:
        return "Charging" if connector in self.behaviour.busy else self._statuses[connector]

    async def _deliver(self, action: str, payload: Payload) -> Payload:
        while True:
            if self._peer:
                try:
                    return await self._call(self._peer, action, payload)
                except CallFailed:
                    return {}
                except (Disconnected, TimeoutError):
                    self._peer = None
            await asyncio.sleep(_GLANCE)

    async def _call(self, peer: Peer, action: str, payload: Payload) -> Payload:
        async with self._calling:
            return await peer.call(action, payload)

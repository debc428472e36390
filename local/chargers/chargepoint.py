"""A charge point: it keeps a WebSocket to its server, handles starts and stops, and charges for a while."""

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
from local.chargers.messages import MESSAGES, Messages, Start, Transaction
from local.ocppj import CallFailed, Disconnected, Payload, Peer, now

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from local.ocppj import Message

FIRST_DELAY = 0.1
MAX_DELAY = 2.0
"""Seconds between attempts to connect: doubled after each attempt, up to the maximum."""
_MAX_MESSAGES = 20
_POLL_SECONDS = 0.05
"""How often the behaviour is read for changes."""


class ChargePoint:
    """A running charge point.

    `starts` are the received starts and `transactions` the charges that began, in order. `messages` are the last ones that
    were sent or received, without heartbeats.
    """

    def __init__(
        self, behaviour: Behaviour, url: str, on_start: Callable[[Start], None] = lambda _: None
    ) -> None:
        """`url` is that of the server, to which the identity is appended. `on_start` receives each start before it is answered."""
        self.behaviour = behaviour
        self.starts: list[Start] = []
        self.transactions: list[Transaction] = []
        self.messages: deque[Message] = deque(maxlen=_MAX_MESSAGES)
        self._on_start = on_start
        self._url = f"{url}/{quote(behaviour.identity, safe='')}"
        self._ocpp: Messages = MESSAGES[behaviour.version](self._now)
        self._statuses = dict.fromkeys(range(1, behaviour.connectors + 1), "Available")
        self._peer: Peer | None = None
        self._calling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Connect, and reconnect whenever the WebSocket closes, until the task is cancelled."""
        delay = FIRST_DELAY
        try:
            while True:
                while not self.behaviour.online:
                    await asyncio.sleep(_POLL_SECONDS)
                with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                    subprotocol = Subprotocol(f"ocpp{self.behaviour.version}")
                    async with connect(
                        self._url, subprotocols=[subprotocol], proxy=None, close_timeout=1
                    ) as websocket:
                        delay = FIRST_DELAY
                        peer = Peer(websocket, self._handlers(), self._keep_message)
                        peer.spawn(self._boot(peer))
                        peer.spawn(self._close_when_offline(peer))
                        await peer.run()
                self._peer = None
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_DELAY)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connected(self) -> bool:
        """Whether the server has accepted the charge point on the present WebSocket."""
        return self._peer is not None

    @property
    def statuses(self) -> dict[int, str]:
        """The status of each connector, with the names of OCPP 1.6, as it is sent to the server."""
        return {connector: self._status(connector) for connector in self._statuses}

    def id_of(self, transaction: Transaction) -> str:
        """Return the id by which the server knows a transaction; empty if the server has not assigned one yet."""
        return self._ocpp.id_of(transaction)

    def disconnect(self) -> None:
        """Abort the WebSocket, as a network failure does. The charge point reconnects at once."""
        if self._peer:
            self._peer.websocket.transport.abort()

    def _keep_message(self, message: Message) -> None:
        if message.action != "Heartbeat":
            self.messages.append(message)

    async def _boot(self, peer: Peer) -> None:
        with contextlib.suppress(Disconnected, TimeoutError):
            while (boot := await peer.call("BootNotification", self._ocpp.boot()))["status"] != "Accepted":
                await asyncio.sleep(boot["interval"])
            self._peer = peer
            for connector in self._statuses:
                await self._send_status(connector)
            while True:
                await asyncio.sleep(boot["interval"])
                await self._call(peer, "Heartbeat", {})

    async def _close_when_offline(self, peer: Peer) -> None:
        while self.behaviour.online:
            await asyncio.sleep(_POLL_SECONDS)
        with contextlib.suppress(ConnectionClosed):
            await peer.websocket.close()

    def _handlers(self) -> dict[str, Callable[[Payload], Coroutine[Any, Any, Payload]]]:
        return {
            self._ocpp.start_action: self._handle_start,
            self._ocpp.stop_action: self._handle_stop,
            "TriggerMessage": self._handle_trigger,
        }

    async def _handle_trigger(self, payload: Payload) -> Payload:
        if payload["requestedMessage"] != "StatusNotification":
            return {"status": "NotImplemented"}
        requested = payload.get("connectorId", payload.get("evse", {}).get("id"))
        connectors = [requested] if requested else list(self._statuses)
        if not self._statuses.keys() >= set(connectors):
            return {"status": "Rejected"}
        for connector in connectors:
            self._start_task(self._send_status(connector))
        return {"status": "Accepted"}

    async def _handle_start(self, payload: Payload) -> Payload:
        start = self._ocpp.read_start(self.behaviour.identity, payload)
        self._on_start(start)
        self.starts.append(start)
        while self.behaviour.reaction is Reaction.SILENT:
            await asyncio.sleep(_POLL_SECONDS)
        reaction = self.behaviour.reaction
        if reaction is Reaction.NOT_SUPPORTED:
            raise NotSupportedError
        if reaction is Reaction.FAIL:
            raise InternalError
        connector = self._find_free_connector(start.connector)
        if reaction is Reaction.REJECT or connector is None:
            return {"status": "Rejected"}
        self._statuses[connector] = "Preparing"
        if reaction is Reaction.DROP:
            self._begin(connector, start)
            self.disconnect()
            await asyncio.Event().wait()
        if reaction is Reaction.LATE:
            transaction = self._begin(connector, start)
            await asyncio.sleep(self.behaviour.late_seconds)
            return self._ocpp.accept(transaction)
        try:
            await asyncio.sleep(self.behaviour.delay)
        except asyncio.CancelledError:
            self._statuses[connector] = "Available"
            raise
        return self._ocpp.accept(self._begin(connector, start))

    async def _handle_stop(self, payload: Payload) -> Payload:
        wanted = str(payload["transactionId"])
        for transaction in self.transactions:
            if transaction.stopped_at is None and self._ocpp.id_of(transaction) == wanted:
                transaction.stop_requested.set()
                return {"status": "Accepted"}
        return {"status": "Rejected"}

    def _find_free_connector(self, requested: int | None) -> int | None:
        for connector, status in self._statuses.items():
            if (
                requested in (None, connector)
                and status == "Available"
                and connector not in self.behaviour.busy
            ):
                return connector
        return None

    def _begin(self, connector: int, start: Start) -> Transaction | None:
        """Begin a charge, and return its transaction. Without a cable, wait for one and return None."""
        if not self.behaviour.cable:
            self._start_task(self._wait_for_cable(connector))
            return None
        transaction = Transaction(connector, start.token, start.remoteStartId, self._now())
        self.transactions.append(transaction)
        self._start_task(self._charge(transaction))
        return transaction

    async def _charge(self, transaction: Transaction) -> None:
        connector = transaction.connector
        await self._set_status(connector, "Preparing")
        await self._ocpp.begin(transaction, self._deliver)
        await self._set_status(connector, "Charging")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(transaction.stop_requested.wait(), self.behaviour.charge_seconds)
        transaction.stopped_at = self._now()
        await self._ocpp.end(transaction, self._deliver)
        await self._set_status(connector, "Finishing")
        await self._set_status(connector, "Available")

    async def _wait_for_cable(self, connector: int) -> None:
        await self._set_status(connector, "Preparing")
        await asyncio.sleep(self.behaviour.cable_seconds)
        await self._set_status(connector, "Available")

    def _now(self) -> str:
        """Return the time that the charge point's own clock shows."""
        return now(self.behaviour.clock_offset)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_status(self, connector: int, status: str) -> None:
        self._statuses[connector] = status
        await self._send_status(connector)

    async def _send_status(self, connector: int) -> None:
        """Send a connector's status. If it cannot be sent now, it is sent after the next connection."""
        if self._peer:
            status = self._ocpp.status(connector, self._status(connector))
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
            await asyncio.sleep(_POLL_SECONDS)

    async def _call(self, peer: Peer, action: str, payload: Payload) -> Payload:
        async with self._calling:
            return await peer.call(action, payload)

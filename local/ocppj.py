"""One side of an OCPP-J connection: outgoing and incoming calls over one WebSocket.

Framing, schemas and error codes come from the package `ocpp`. Its ChargePoint class is not used: it drops a result that arrives
after the timeout, which this server must record, and keeps a caller waiting when the peer disconnects.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ocpp.messages
from ocpp.exceptions import NotImplementedError as NoHandler
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallError, CallResult, unpack, validate_payload
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from websockets.asyncio.connection import Connection

    Handler = Callable[["Payload"], Awaitable["Payload"]]

Payload = dict[str, Any]

# Validate without a thread: messages are small, and those that arrive in order are then handled in order.
ocpp.messages.ASYNC_VALIDATION = False

SUBPROTOCOLS = ("ocpp2.0.1", "ocpp1.6")
"""The supported WebSocket subprotocols, the preferred one first."""

logger = logging.getLogger(__name__)


def now(offset: float = 0.0) -> str:
    """Return the current time in OCPP's format, as shown by a clock that is `offset` seconds fast."""
    return format_time(datetime.now(UTC) + timedelta(seconds=offset))


def format_time(time: datetime) -> str:
    """Return a time in OCPP's format: UTC with milliseconds, so that the texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the time that a message carries; without a zone, it is in UTC. Raises ValueError."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Disconnected(Exception):
    """The WebSocket closed before the result of the call arrived."""


class CallFailed(Exception):
    """The peer sent a CALLERROR; `code` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One message, sent or received. `kind` is call, result or error; an error's payload is its code."""

    sent: bool
    action: str
    kind: str
    payload: Payload | str
    time: str


class Peer:
    """One WebSocket and its pending calls.

    `handlers` maps an OCPP action to its handler, which takes the validated payload and returns the payload of the result, or
    raises OCPPError. Each call is handled in its own task; the tasks start in the order of arrival. Messages are sent in the
    order of the calls to `send`. `on_message` receives every message that was sent or received.
    """

    def __init__(
        self,
        websocket: Connection,
        handlers: Mapping[str, Handler],
        on_message: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self.websocket = websocket
        self._on_message = on_message
        self.version = (websocket.subprotocol or "").removeprefix("ocpp")
        self._handlers = handlers
        self._waiting: dict[str, tuple[str, asyncio.Future[Payload]]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        # The library validates in threads: without the lock, a charge's report could overtake the result that began it.
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Read until the WebSocket closes. Then every pending call raises Disconnected and every task is cancelled."""
        try:
            async for frame in self.websocket:
                await self._route(frame)
        except ConnectionClosed:
            pass
        finally:
            for _, result in self._waiting.values():
                if not result.done():
                    result.set_exception(Disconnected())
                    result.exception()  # mark it as retrieved: asyncio logs an error for an unread exception
            self._waiting.clear()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, action: str, payload: Payload) -> asyncio.Future[Payload]:
        """Send one call. The future receives the result, however late, or Disconnected, CallFailed or OCPPError."""
        call = Call(str(uuid4()), action, payload)
        result: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        async with self._sending:
            await validate_payload(call, self.version)
            self._waiting[call.unique_id] = (action, result)
            try:
                await self.websocket.send(call.to_json())
                self._on_message(Message(True, action, "call", payload, now()))
            except ConnectionClosed:
                self._waiting.pop(call.unique_id, None)
                raise Disconnected from None
        return result

    async def call(self, action: str, payload: Payload, timeout: float = 30) -> Payload:
        """Send one call and return its result. Raises TimeoutError after `timeout` seconds, and what `send` raises."""
        return await asyncio.wait_for(await self.send(action, payload), timeout)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Run `work` in a task that is cancelled when the WebSocket closes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _route(self, frame: str | bytes) -> None:
        try:
            message = unpack(frame)
        except OCPPError as error:
            logger.warning("invalid frame: %s", type(error).__name__)
            return
        if isinstance(message, Call):
            self._on_message(Message(False, str(message.action), "call", message.payload, now()))
            self.spawn(self._handle_call(message))
        else:
            await self._resolve(message)

    async def _resolve(self, message: CallResult | CallError) -> None:
        action, result = self._waiting.pop(str(message.unique_id), (None, None))
        if action is None or result is None or result.done():
            return
        failure: Exception | None = None
        if isinstance(message, CallError):
            self._on_message(Message(False, action, "error", str(message.error_code), now()))
            failure = CallFailed(str(message.error_code))
        else:
            self._on_message(Message(False, action, "result", message.payload, now()))
            message.action = action
            try:
                await validate_payload(message, self.version)
            except OCPPError as error:
                failure = error
        if failure is None:
            result.set_result(message.payload)
        else:
            result.set_exception(failure)
            result.exception()

    async def _handle_call(self, call: Call) -> None:
        try:
            handler = self._handlers.get(str(call.action))
            if handler is None:
                raise NoHandler
            await validate_payload(call, self.version)
            result = call.create_call_result(await handler(call.payload))
            async with self._sending:
                await validate_payload(result, self.version)
                message = Message(True, str(call.action), "result", result.payload, now())
                await self._send_frame(result.to_json(), message)
        except OCPPError as error:
            # No details: those of the library repeat the whole message, including tokens.
            frame = json.dumps(
                [CallError.message_type_id, call.unique_id, error.code, error.default_description, {}]
            )
            await self._send_frame(frame, Message(True, str(call.action), "error", error.code, now()))

    async def _send_frame(self, frame: str, message: Message) -> None:
        try:
            await self.websocket.send(frame)
            self._on_message(message)
        except ConnectionClosed:
            logger.debug("the peer disconnected before the response was sent")

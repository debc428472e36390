"""One side of an OCPP-J conversation: calls out, calls in, over one WebSocket.

Framing, schemas and error codes are those of the package `ocpp`. Its own ChargePoint drops an answer that comes after its
timeout, and keeps a caller waiting when the peer hangs up; a server that must record late answers can afford neither.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
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

# Validated in place: messages are small, and those that arrive in order are then handled in order.
ocpp.messages.ASYNC_VALIDATION = False

SUBPROTOCOLS = ("ocpp2.0.1", "ocpp1.6")
"""WebSocket subprotocols spoken here, the preferred one first."""

logger = logging.getLogger(__name__)


def now() -> str:
    """The current time as OCPP writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Disconnected(Exception):
    """The WebSocket ended before the call was answered."""


class CallFailed(Exception):
    """The peer answered with a CALLERROR; `code` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it went by. `kind` is call, result or error; an error's payload is its code."""

    sent: bool
    action: str
    kind: str
    payload: Payload | str
    time: str


class Peer:
    """One WebSocket and the calls under way on it.

    `witness` hears of every message as it goes by. `handlers` maps an OCPP action to what answers it: it takes the validated payload and returns the answer's payload, or
    raises OCPPError. Each call is answered in its own task, begun in the order of arrival. Messages leave in the order in which they
    were said.
    """

    def __init__(
        self,
        websocket: Connection,
        handlers: Mapping[str, Handler],
        witness: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self.websocket = websocket
        self._witness = witness
        self.version = (websocket.subprotocol or "").removeprefix("ocpp")
        self._handlers = handlers
        self._waiting: dict[str, tuple[str, asyncio.Future[Payload]]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        # The library validates in threads, where a report of the charge would overtake the answer that began it.
        self._saying = asyncio.Lock()

    async def run(self) -> None:
        """Reads until the WebSocket ends; then every open call fails as Disconnected and every task is cancelled."""
        try:
            async for frame in self.websocket:
                await self._route(frame)
        except ConnectionClosed:
            pass
        finally:
            for _, answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Disconnected())
                    answer.exception()  # nobody may be waiting any more: seen, so that asyncio does not complain
            self._waiting.clear()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, action: str, payload: Payload) -> asyncio.Future[Payload]:
        """Sends one call. The future is its answer, however late; it may fail as Disconnected, CallFailed or OCPPError."""
        call = Call(str(uuid4()), action, payload)
        answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        async with self._saying:
            await validate_payload(call, self.version)
            self._waiting[call.unique_id] = (action, answer)
            try:
                await self.websocket.send(call.to_json())
                self._witness(Message(True, action, "call", payload, now()))
            except ConnectionClosed:
                self._waiting.pop(call.unique_id, None)
                raise Disconnected from None
        return answer

    async def call(self, action: str, payload: Payload, timeout: float = 30) -> Payload:
        """Sends one call and waits `timeout` seconds for its answer. TimeoutError, and what `send` raises."""
        return await asyncio.wait_for(await self.send(action, payload), timeout)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Runs `work` beside the conversation; it is cancelled when the WebSocket ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _route(self, frame: str | bytes) -> None:
        try:
            message = unpack(frame)
        except OCPPError as error:
            logger.warning("unreadable frame: %s", type(error).__name__)
            return
        if isinstance(message, Call):
            self._witness(Message(False, str(message.action), "call", message.payload, now()))
            self.spawn(self._answer(message))
        else:
            await self._resolve(message)

    async def _resolve(self, message: CallResult | CallError) -> None:
        action, answer = self._waiting.pop(str(message.unique_id), (None, None))
        if action is None or answer is None or answer.done():
            return
        failure: Exception | None = None
        if isinstance(message, CallError):
            self._witness(Message(False, action, "error", str(message.error_code), now()))
            failure = CallFailed(str(message.error_code))
        else:
            self._witness(Message(False, action, "result", message.payload, now()))
            message.action = action
            try:
                await validate_payload(message, self.version)
            except OCPPError as error:
                failure = error
        if failure is None:
            answer.set_result(message.payload)
        else:
            answer.set_exception(failure)
            answer.exception()

    async def _answer(self, call: Call) -> None:
        try:
            handler = self._handlers.get(str(call.action))
            if handler is None:
                raise NoHandler
            await validate_payload(call, self.version)
            result = call.create_call_result(await handler(call.payload))
            async with self._saying:
                await validate_payload(result, self.version)
                passed = Message(True, str(call.action), "result", result.payload, now())
                await self._say(result.to_json(), passed)
        except OCPPError as error:
            # The library's details repeat the whole message, tokens included.
            frame = json.dumps(
                [CallError.message_type_id, call.unique_id, error.code, error.default_description, {}]
            )
            await self._say(frame, Message(True, str(call.action), "error", error.code, now()))

    async def _say(self, frame: str, passed: Message) -> None:
        try:
            await self.websocket.send(frame)
            self._witness(passed)
        except ConnectionClosed:
            logger.debug("the peer left before it was answered")

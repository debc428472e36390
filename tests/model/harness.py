"""A harness that runs invocations of the real handlers one at a time, each until its next network request.

Every invocation has its own thread. It runs only when the machine resumes it, until it sends a request or ends. The machine decides
what happens to the request (delivered, answered, lost, late) and to the invocation (killed, timed out), so a run is reproducible.
The harness has its own time: a wall clock, by which leases expire, and a clock for each invocation, by which its deadlines expire;
they differ if a process was frozen.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

import callback.handler
import callback.record
import charger_connect.callback_wait
import charger_connect.flow
import charger_connect.replies
import charger_link.exchange
import common.aws.client
import common.edge.call
import common.transport.deadline
from charger_connect.handler import respond as respond_to_connect
from common.edge.paths import CALLBACK
from common.transport import IncompleteResponse, NotConnected, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from callback.service import Service as CallbackService
    from charger_connect.service import Service
    from common.transport import Deadline

TIMEOUT = 29.0
"""Seconds that an invocation has, as in the template."""
_MODULES_WITH_CLOCK = (
    callback.handler,
    callback.record,
    charger_connect.callback_wait,
    charger_connect.flow,
    charger_connect.replies,
    charger_link.exchange,
    common.edge.call,
    common.aws.client,
    common.transport.deadline,
)
_HANG_TIMEOUT = 30.0  # seconds of real time; an invocation that neither sends a request nor ends is a defect of the harness


class Killed(BaseException):
    """Represents SIGKILL: no handler catches it, and no code runs after it."""


class End(StrEnum):
    """How a request ends for the invocation that sent it."""

    RESPONDED = "responded"
    REFUSED = "refused"
    BROKEN = "broken"
    TIMED_OUT = "timed out"
    KILLED = "killed"


@dataclass(slots=True)
class Request:
    """A request under way. ``response`` is None until it is delivered, and after that if the connection broke."""

    port: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    deadline: Deadline
    sender: Invocation
    delivered: bool = False
    response: Response | None = None


@dataclass(slots=True)
class Clock:
    """Replaces the module `time`: all invocations share the wall clock, and each has its own monotonic clock."""

    wall: float = field(default_factory=time.time)

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        invocation = _current()
        return invocation.elapsed if invocation else 0.0

    def sleep(self, seconds: float) -> None:
        invocation = _current()
        assert invocation is not None
        invocation.elapsed += seconds


class Invocation:
    """One invocation of a handler, which `respond` runs. ``waiting`` is the request that it has sent; without one it has ended.

    ``started`` counts the starts that its requests caused at charge points; ``response`` is what its caller receives.
    ``tries`` is the number of the try that it claimed, 0 before.
    """

    def __init__(self, id_: str, respond: Callable[[Invocation], dict[str, Any]]) -> None:
        self.id = id_
        self.tries = 0
        self.aws_request_id = str(uuid4())
        self.function_name = "ConnectFunction"
        self.function_version = "1"
        self.elapsed = 0.0
        self.waiting: Request | None = None
        self.started = 0
        self.response: dict[str, Any] | None = None
        self.error: BaseException | None = None
        self._end = End.RESPONDED
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(respond,), daemon=True)
        self._thread.start()
        self._hand_over()

    def get_remaining_time_in_millis(self) -> int:
        return int((TIMEOUT - self.elapsed) * 1000)

    def resume(self, end: End) -> None:
        """End its request, and run it until its next request or its end."""
        self._end = end
        self._hand_over()

    def exchange(self, request: Request) -> Response:
        """Send a request and wait for its end; called in the invocation's own thread."""
        self.waiting = request
        self._stopped.release()
        self._go.acquire()
        self.waiting = None
        match self._end:
            case End.KILLED:
                raise Killed
            case End.REFUSED:
                raise NotConnected("refused")
            case End.TIMED_OUT:
                self.elapsed = max(self.elapsed, request.deadline.at)
                raise IncompleteResponse("timeout", received_any=False)
            case End.BROKEN:
                raise IncompleteResponse("reset", received_any=request.delivered)
        assert request.response is not None
        return request.response

    def _hand_over(self) -> None:
        self._go.release()
        if not self._stopped.acquire(timeout=_HANG_TIMEOUT):
            raise RuntimeError("an invocation waits for something outside the harness")
        if self.waiting is None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self, respond: Callable[[Invocation], dict[str, Any]]) -> None:
        self._go.acquire()
        _here.invocation = self
        try:
            self.response = respond(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised in the machine's thread
            self.error = error
        self._stopped.release()


def invoke_connect(body: dict[str, Any], service: Service) -> Invocation:
    """Start an invocation of the connect function."""
    event = {
        "requestContext": {
            "http": {"method": "POST"},
            "authorizer": {"iam": {"userArn": "arn:aws:iam::0:user/u"}},
        },
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }
    return Invocation(body["id"], lambda context: respond_to_connect(event, context, service))


def invoke_callback(url: str, body: dict[str, Any], service: CallbackService) -> Invocation:
    """Start an invocation of the callback function."""
    parts = urlsplit(url)
    id_, expires, signature = parts.path.split("/")[-3:]
    event = {
        "routeKey": f"POST {CALLBACK}",
        "pathParameters": {"id": id_, "expires": expires, "signature": signature},
        "queryStringParameters": dict(parse_qsl(parts.query)) or None,
        "body": json.dumps(body),
    }
    return Invocation(id_, lambda context: callback.handler.respond(event, context, service))


class _HarnessConnection:
    """Replaces the connection that `transport.connect` returns: the machine is the network."""

    def __init__(self, port: int) -> None:
        self._port = port

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        limit: int = 0,
    ) -> Response:
        if deadline.remaining() <= 0:
            raise NotConnected("timeout")
        sender = _current()
        assert sender is not None
        return sender.exchange(Request(self._port, method, path, headers, body, deadline, sender))

    def is_idle(self) -> bool:
        return True

    def close(self) -> None:
        pass


_here = threading.local()


def _current() -> Invocation | None:
    return cast("Invocation | None", getattr(_here, "invocation", None))


def _connect(
    address: str, port: int, host: str, deadline: Deadline, tls: object = None
) -> _HarnessConnection:
    if deadline.remaining() <= 0:
        raise NotConnected("timeout")
    return _HarnessConnection(port)


def install_harness(patch: pytest.MonkeyPatch) -> Clock:
    """Replace network and clocks of the service until `patch` is undone, and return the clock."""
    clock = Clock()
    for module in _MODULES_WITH_CLOCK:
        patch.setattr(module, "time", clock)
    for module in (charger_link.exchange, common.aws.client):
        patch.setattr(module, "connect", cast("Callable[..., object]", _connect))
        patch.setattr(module, "_FIRST_PAUSE", 0.0)
    return clock

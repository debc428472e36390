"""The state machine: callers, retries, crashes, time-outs, leases that end, late and lost answers, in any order.

Its two invariants are the service's promise: at most one start for each id, counted by the charge points as requests
received; and every id that a caller heard about has an attempt whose state agrees with what happened.
"""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from charger_connect.service import Service
from charger_link import REPEATABLE, Circuits, Link, LinkServer, LinkServers
from charger_link.secrets import Secrets
from common.journal import Attempt, DynamoDB, Journal, State
from common.transport import Response
from common.transport.credentials import Credentials
from local.table import REGION
from tests.model.harness import End, Invocation, Message
from tests.model.servers import NativeServer, PlainServer, Weather

if TYPE_CHECKING:
    from tests.model.harness import Clock
    from tests.model.table import Table

NATIVE, PLAIN = 9001, 9002
LEASE = 30.0  # seconds: longer than any lease
WINDOW = 3700.0  # seconds: longer than the repeat window
_OPEN = 2  # the newest ids are those that somebody asks about again
_AT_ONCE = 4
_numbers = count(1)  # the table outlives a run
_NATIVE, _PLAIN = (
    LinkServer.model_validate({"network": "127.0.0.0/8", "ports": [port], "scheme": "http"})
    for port in (NATIVE, PLAIN)
)
# Not a dialect of the service: the native one's words, spoken to a server that remembers nothing.
_SERVERS = [_NATIVE, _PLAIN.model_copy(update={"dialect": "plain"})]


class Arrival(StrEnum):
    """Whether a request whose sender stops waiting reaches its server."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


picks = st.integers(0, 59)  # of whatever there is to choose from: 60 divides evenly among most numbers
smooth = st.sampled_from(
    [True, True, False]
)  # whether the table serves an invocation at once until it speaks to a server


class Callers(RuleBasedStateMachine):
    """`table` and `clock` are the stage's; `repeatable` names the dialects that the journal believes in. `ports`, `weathers` and
    `most` (ids in one run) narrow the search."""

    table: ClassVar[Table]
    clock: ClassVar[Clock]
    repeatable: ClassVar[frozenset[str]] = REPEATABLE
    ports: ClassVar[tuple[int, ...]] = (NATIVE, PLAIN)
    weathers: ClassVar[tuple[Weather, ...]] = tuple(Weather)
    most: ClassVar[int] = 6

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, int] = {}  # and the port of the server that each is for
        self.native, self.plain = NativeServer(), PlainServer()
        self.running: list[Invocation] = []
        self.ended: list[Invocation] = []
        self.lost: list[Message] = []  # requests whose senders have stopped waiting, and which may arrive yet
        self.attempts: dict[str, Attempt] = {}
        self.completed: dict[str, Attempt] = {}
        self.began_at = self.clock.wall

    # what callers do

    @precondition(lambda self: len(self.running) < _AT_ONCE and len(self.ids) < self.most)
    @rule(pick=picks, smooth=smooth)
    def begin(self, pick: int, smooth: bool) -> None:
        """Somebody asks with a new id."""
        id_ = str(UUID(int=next(_numbers)))
        self.ids[id_] = self.ports[pick % len(self.ports)]
        self._call(id_, smooth)

    @precondition(lambda self: self.ids and len(self.running) < _AT_ONCE)
    @rule(pick=picks, smooth=smooth)
    def ask_again(self, pick: int, smooth: bool) -> None:
        """A duplicate, or a retry."""
        ids = list(self.ids)[-_OPEN:]
        self._call(ids[pick % len(ids)], smooth)

    # what the network does

    @precondition(lambda self: self.running)
    @rule(pick=picks, weather=picks, smooth=smooth)
    def serve(self, pick: int, weather: int, smooth: bool) -> None:
        """A request arrives, and its answer comes back."""
        invocation = self.running[pick % len(self.running)]
        self._deliver(_waiting(invocation), self._weather(weather))
        self._answer(invocation, smooth)

    @precondition(lambda self: self._under_way())
    @rule(pick=picks, weather=picks)
    def deliver(self, pick: int, weather: int) -> None:
        """A request arrives, perhaps when its sender has long stopped waiting."""
        under_way = self._under_way()
        self._deliver(under_way[pick % len(under_way)], self._weather(weather))

    @precondition(lambda self: self.running)
    @rule(
        pick=picks,
        end=st.sampled_from([End.BROKEN, End.TIMED_OUT, End.KILLED]),
        arrival=st.sampled_from(Arrival),
        weather=picks,
        smooth=smooth,
    )
    def lose(self, pick: int, end: End, arrival: Arrival, weather: int, smooth: bool) -> None:
        """The connection breaks, nothing comes in time, or the invocation dies: before, while or after its request is
        carried out."""
        invocation = self.running[pick % len(self.running)]
        message = _waiting(invocation)
        if arrival is Arrival.NOW:
            self._deliver(message, self._weather(weather))
        elif arrival is Arrival.LATER and not message.delivered:
            self.lost.append(message)
        self._resume(invocation, end, smooth)

    @precondition(lambda self: self._not_delivered())
    @rule(pick=picks, kind=st.sampled_from([None, "ThrottlingException", "AccessDeniedException"]))
    def refuse(self, pick: int, kind: str | None) -> None:
        """The connection is not made, or the table declines."""
        waiting = self._not_delivered()
        invocation = waiting[pick % len(waiting)]
        message = _waiting(invocation)
        if kind is None or message.port in (NATIVE, PLAIN):
            self._resume(invocation, End.REFUSED)
        else:
            message.delivered = True
            message.response = Response(400, {}, json.dumps({"__type": f"x#{kind}"}).encode())
            self._answer(invocation)

    @precondition(lambda self: self.running)
    @rule(pick=picks)
    def go_on(self, pick: int) -> None:
        """One invocation runs to its end, and nothing goes wrong."""
        self._finish(self.running[pick % len(self.running)], Weather.ACCEPTS)

    @precondition(lambda self: any(self._is_held(attempt) for attempt in self.attempts.values()))
    @rule(seconds=st.sampled_from([LEASE, LEASE, LEASE, WINDOW]))
    def pass_time(self, seconds: float) -> None:
        """Leases end, while whoever held them may be alive and frozen."""
        self.clock.wall += seconds

    @precondition(lambda self: any(record.late for record in self.native.records.values()))
    @rule()
    def hear_late(self) -> None:
        self.native.hear_late()

    # what must hold

    @invariant()
    def no_id_starts_twice(self) -> None:
        for server in (self.native, self.plain):
            for token, point in server.points.items():
                assert point.received <= 1, f"{token} was started {point.received} times"

    @invariant()
    def states_agree_with_what_happened(self) -> None:
        for id_, attempt in self.attempts.items():
            point = self._server(id_).point(_token(id_))
            match attempt.state:
                case State.COMPLETED:
                    assert attempt.answer is not None
                    accepted = attempt.answer["outcome"] == "accepted"
                    assert point.began == accepted, f"{attempt.answer['outcome']}, and began {point.began}"
                case State.FAILED:
                    assert point.received == 0, "failed, and a charge point was asked"

    @invariant()
    def nothing_leaves_completed(self) -> None:
        for id_, attempt in self.attempts.items():
            if id_ in self.completed:
                assert attempt == self.completed[id_], "a completed attempt was changed"
            elif attempt.state is State.COMPLETED:
                self.completed[id_] = attempt

    @invariant()
    def callers_hear_what_is_so(self) -> None:
        for invocation in self.ended:
            status, body = _heard(invocation)
            if status == 200 and body["status"] != "Unavailable":
                attempt = self.attempts.get(invocation.id)
                recorded = attempt.answer if attempt else None
                assert recorded is not None, "a success was told that is not recorded"
                assert recorded["status"] == body["status"]
            elif status == 200 or body.get("outcome") == "not-started" or status == 404:
                assert invocation.started == 0, f"{status} {body}, and its request started a charge"
            else:
                assert status in (409, 504), (status, body)
            if status != 503:
                assert invocation.id in self.attempts, f"{status} was told, and there is no attempt"

    def teardown(self) -> None:
        """What is under way ends, what was lost arrives, everybody asks again: then all that can be known is known."""
        while self.running:
            self._finish(self.running[0], Weather.ACCEPTS)
        for message in self.lost:
            self._deliver(message, Weather.ACCEPTS)
        self._check()
        self.native.hear_late()
        for id_ in self.attempts:
            if id_ not in self.completed:
                self._ask_once_more(id_)
        self._check()

    def _ask_once_more(self, id_: str) -> None:
        in_window = self.clock.wall + LEASE < self.began_at + WINDOW - LEASE * 4
        self.clock.wall += LEASE
        self._call(id_, smooth=False)
        self._finish(self.running[-1], Weather.ACCEPTS)
        attempt = self.attempts[id_]
        if self.ids[id_] == NATIVE and in_window and self.native.knows(id_):
            assert attempt.state is State.COMPLETED, f"lost: {attempt.state}, and the server knows"
        else:
            assert attempt.known_state(self.clock.wall) in (State.COMPLETED, State.UNKNOWN)

    def _check(self) -> None:
        self.no_id_starts_twice()
        self.states_agree_with_what_happened()
        self.nothing_leaves_completed()
        self.callers_hear_what_is_so()

    def _call(self, id_: str, smooth: bool) -> None:
        body = {
            "id": id_,
            "chargerId": "CP-1",
            "tokenId": _token(id_),
            "serverIpAddress": "127.0.0.1",
            "serverRestApiPort": self.ids[id_],
        }
        invocation = Invocation(body, self._service())
        self.running.append(invocation)
        self._note(invocation, smooth)

    def _weather(self, pick: int) -> Weather:
        return self.weathers[pick % len(self.weathers)]

    def _service(self) -> Service:
        """As a process of its own would have it."""
        circuits = Circuits(self.clock.time)
        dynamodb = DynamoDB("http://127.0.0.1:8001", REGION, lambda: Credentials("local", "local", None))
        return Service(
            journal=Journal(dynamodb, self.table.name, repeatable=self.repeatable, clock=self.clock.time),
            link=Link(circuits, Secrets()),
            circuits=circuits,
            servers=LinkServers(_SERVERS),
            secret=b"a secret of the model's",
            link_timeout=20.0,
        )

    def _is_held(self, attempt: Attempt) -> bool:
        return attempt.state is State.PENDING and attempt.lease >= self.clock.wall

    def _server(self, id_: str) -> PlainServer:
        return self.plain if self.ids[id_] == PLAIN else self.native

    def _not_delivered(self) -> list[Invocation]:
        return [each for each in self.running if each.waiting and not each.waiting.delivered]

    def _under_way(self) -> list[Message]:
        waiting = [each.waiting for each in self._not_delivered() if each.waiting]
        return waiting + [message for message in self.lost if not message.delivered]

    def _deliver(self, message: Message, weather: Weather) -> None:
        if message.delivered:
            return
        message.delivered = True
        if message.port in (NATIVE, PLAIN):
            server = self.plain if message.port == PLAIN else self.native
            message.response = server.serve(message, weather)
            self.states_agree_with_what_happened()  # here, before anybody can make up for it
        else:
            body = json.loads(message.body)
            assert message.headers["x-amz-target"].endswith(".UpdateItem")
            message.response = self._update(body)
            id_ = body["Key"]["id"]["S"]
            if found := self.table.item(id_):
                self.attempts[id_] = Attempt.of(found)

    def _update(self, body: dict[str, Any]) -> Response:
        return self.table.update(body)

    def _finish(self, invocation: Invocation, weather: Weather) -> None:
        while invocation.waiting:
            self._deliver(invocation.waiting, weather)
            self._answer(invocation)

    def _answer(self, invocation: Invocation, smooth: bool = False) -> None:
        self._resume(invocation, End.ANSWERED if _waiting(invocation).response else End.BROKEN, smooth)

    def _resume(self, invocation: Invocation, end: End, smooth: bool = False) -> None:
        invocation.resume(end)
        self._note(invocation, smooth)

    def _note(self, invocation: Invocation, smooth: bool) -> None:
        message = invocation.waiting
        if smooth and message and message.port not in (NATIVE, PLAIN):
            self._deliver(message, Weather.ACCEPTS)
            self._answer(invocation, smooth)
        elif message is None:
            self.running.remove(invocation)
            if invocation.answer is not None:
                self.ended.append(invocation)


def _token(id_: str) -> str:
    """Each attempt has its own, by which charge points count it."""
    return f"driver-of-{id_[-12:]}"


def _waiting(invocation: Invocation) -> Message:
    assert invocation.waiting is not None
    return invocation.waiting


def _heard(invocation: Invocation) -> tuple[int, dict[str, Any]]:
    assert invocation.answer is not None
    return invocation.answer["statusCode"], json.loads(invocation.answer["body"])

"""The state machine: callers, retries, crashes, time-outs, leases that end, late and lost answers, in any order.

Its two invariants are the service's promise: at most one start for each id, counted by the charge points as requests
received; and every id that a caller heard about has an attempt whose state agrees with what happened.

With a server that calls back there are callbacks too: early, late, repeated, contradicting what is recorded, of an earlier try,
forged, without the key's signature. And items are deleted, and their ids used again: an id's *generation* counts that.
"""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callback.service import Service as CallbackService
from charger_connect.service import Service
from charger_link import REPEATABLE, Circuits, Link, LinkServer, LinkServers
from charger_link.secrets import Secrets
from common.journal import Attempt, DynamoDB, Journal, State
from common.transport import Response
from common.transport.credentials import Credentials
from local.table import REGION
from tests.model.harness import End, Invocation, Message, calling_back, connecting
from tests.model.servers import Callback, CallingServer, NativeServer, PlainServer, Weather

if TYPE_CHECKING:
    from tests.model.harness import Clock
    from tests.model.table import Table

NATIVE, PLAIN, CALLING = _PORTS = 9001, 9002, 9003
LEASE = 30.0  # seconds: longer than any lease
WINDOW = 3700.0  # seconds: longer than the repeat window
_OPEN = 2  # the newest ids are those that somebody asks about again
_AT_ONCE = 4
_MOST_DELETED = 2  # ids in one run
_SECRET = b"a secret of the model's"
_CALLBACK_BASE = "https://charge.example.com"
_numbers = count(1)  # the table outlives a run
_NATIVE, _PLAIN, _CALLING = (
    LinkServer.model_validate({"network": "127.0.0.0/8", "ports": [port], "scheme": "http"})
    for port in _PORTS
)
# Not a dialect of the service: the native one's words, spoken to a server that remembers nothing.
_SERVERS = [
    _NATIVE,
    _PLAIN.model_copy(update={"dialect": "plain"}),
    _CALLING.model_copy(update={"dialect": "citrineos"}),
]


class Arrival(StrEnum):
    """Whether a request whose sender stops waiting reaches its server."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


picks = st.integers(0, 59)  # of whatever there is to choose from: 60 divides evenly among most numbers
smooth = st.sampled_from(
    [True, True, False]
)  # whether the table serves an invocation at once until it speaks to a server


class Lie(StrEnum):
    """What is wrong with a callback that nobody may believe."""

    SIGNATURE = "its signature is another one"
    KEY_SIGNATURE = "the key's signature is another one"
    NO_KEY = "it has no key's signature, as a URL of version 1.0"
    EXPIRY = "its expiry is another one"


class Callers(RuleBasedStateMachine):
    """`table` and `clock` are the stage's; `repeatable` names the dialects that the journal believes in. `ports`, `weathers` and
    `most` (ids in one run) narrow the search; `deletes` adds the deletion of items. `versions` are the journals of the versions
    that are deployed: each invocation has one of them."""

    table: ClassVar[Table]
    clock: ClassVar[Clock]
    repeatable: ClassVar[frozenset[str]] = frozenset(REPEATABLE)
    ports: ClassVar[tuple[int, ...]] = _PORTS
    weathers: ClassVar[tuple[Weather, ...]] = tuple(Weather)
    most: ClassVar[int] = 6
    deletes: ClassVar[bool] = False
    versions: ClassVar[tuple[type[Any], ...]] = (Journal,)

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, int] = {}  # and the port of the server that each is for
        self.generations: dict[str, int] = {}
        self.asked: dict[
            Invocation, tuple[int, type[Any]]
        ] = {}  # the generation that each is of, and its journal
        self.native, self.plain, self.calling = NativeServer(), PlainServer(), CallingServer()
        self.running: list[Invocation] = []
        self.ended: list[Invocation] = []
        self.called_back: list[
            tuple[Invocation, bool]
        ] = []  # those that ended, and whether nobody may believe them
        self.disbelieved: set[Invocation] = set()
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
        self.generations[id_] = 0
        self._call(id_, smooth, pick)

    @precondition(lambda self: self.ids and len(self.running) < _AT_ONCE)
    @rule(pick=picks, smooth=smooth)
    def ask_again(self, pick: int, smooth: bool) -> None:
        """A duplicate, or a retry."""
        ids = list(self.ids)[-_OPEN:]
        self._call(ids[pick % len(ids)], smooth, pick)

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
        if kind is None or message.port in _PORTS:
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

    # what a server that calls back does, and whoever knows or guesses its URLs

    @precondition(lambda self: self._answered() and len(self.running) < _AT_ONCE)
    @rule(pick=picks, smooth=smooth)
    def call_back(self, pick: int, smooth: bool) -> None:
        """A charger's answer is posted: at once, late, or again; of this try, or of an earlier attempt of the id."""
        answered = self._answered()
        callback = answered[pick % len(answered)]
        self._call_back(
            callback, callback.url, callback.body, smooth, pick, disbelieved=self._is_over(callback)
        )

    @precondition(lambda self: self._completed() and len(self.running) < _AT_ONCE)
    @rule(pick=picks, smooth=smooth)
    def contradict(self, pick: int, smooth: bool) -> None:
        """The opposite of what is recorded is posted to a good URL."""
        completed = self._completed()
        callback = completed[pick % len(completed)]
        self._call_back(callback, callback.url, self._untruth(callback), smooth, pick)

    @precondition(lambda self: self._over() and len(self.running) < _AT_ONCE)
    @rule(pick=picks, smooth=smooth)
    def call_back_too_late(self, pick: int, smooth: bool) -> None:
        """Something untrue of the present try is posted to the URL of one that is over."""
        over = self._over()
        callback = over[pick % len(over)]
        self._call_back(callback, callback.url, self._untruth(callback), smooth, pick, disbelieved=True)

    @precondition(lambda self: self.calling.callbacks and len(self.running) < _AT_ONCE)
    @rule(pick=picks, lie=st.sampled_from(Lie), smooth=smooth)
    def forge(self, pick: int, lie: Lie, smooth: bool) -> None:
        """Something untrue is posted to a URL that was never given."""
        callback = self.calling.callbacks[pick % len(self.calling.callbacks)]
        path, _, query = callback.url.partition("?")
        before, expires, signature = path.rsplit("/", 2)
        if not query:  # of version 1.0
            lie = Lie.SIGNATURE
        forged = {
            Lie.SIGNATURE: f"{before}/{expires}/{_other(signature)}?{query}",
            Lie.KEY_SIGNATURE: f"{path}?{_other(query)}",
            Lie.NO_KEY: path,
            Lie.EXPIRY: f"{before}/{int(expires) - 1}/{signature}?{query}",
        }[lie]
        if lie in (Lie.KEY_SIGNATURE, Lie.NO_KEY):
            pick = 0  # version 1.0 knows no key
        self._call_back(callback, forged, self._untruth(callback), smooth, pick, disbelieved=True)

    @precondition(lambda self: self._deletable())
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        """An item is deleted. Who asks with its id from now on asks for another charge."""
        ids = self._deletable()
        id_ = ids[pick % len(ids)]
        self.table.delete(id_)
        del self.attempts[id_]
        self.completed.pop(id_, None)
        self.generations[id_] += 1

    # what must hold

    @invariant()
    def no_id_starts_twice(self) -> None:
        for server in (self.native, self.plain, self.calling):
            for token, point in server.points.items():
                assert point.received <= 1, f"{token} was started {point.received} times"

    @invariant()
    def states_agree_with_what_happened(self) -> None:
        for id_, attempt in self.attempts.items():
            point = self._server(id_).point(self._token(id_))
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
                before = self.completed[id_]
                if (
                    before.milliseconds is None and attempt.milliseconds
                ):  # what a callback could not know is filled in
                    before = before._replace(milliseconds=attempt.milliseconds, updatedAt=attempt.updatedAt)
                    self.completed[id_] = before
                assert attempt == before, "a completed attempt was changed"
            elif attempt.state is State.COMPLETED:
                self.completed[id_] = attempt

    @invariant()
    def callers_hear_what_is_so(self) -> None:
        for invocation in self.ended:
            status, body = _heard(invocation)
            if self._generation(invocation) != self.generations[invocation.id]:
                self._is_so_of_a_deleted_attempt(invocation, status, body)
            elif status == 200 and body["status"] != "Unavailable":
                attempt = self.attempts.get(invocation.id)
                recorded = attempt.answer if attempt else None
                assert recorded is not None, "a success was told that is not recorded"
                assert recorded["status"] == body["status"], "what was told is not what is recorded"
            elif status == 200 or body.get("outcome") == "not-started" or status == 404:
                assert invocation.started == 0, f"{status} {body}, and its request started a charge"
            else:
                assert status in (409, 504), (status, body)
            if status != 503 and self._generation(invocation) == self.generations[invocation.id]:
                assert invocation.id in self.attempts, f"{status} was told, and there is no attempt"

    @invariant()
    def nobody_believes_a_bad_callback(self) -> None:
        for invocation, disbelieved in self.called_back:
            assert invocation.answer is not None
            status = invocation.answer["statusCode"]
            assert status in (404, 503, *([] if disbelieved else [204])), (
                f"a bad callback was answered with {status}"
            )

    @invariant()
    def every_item_was_claimed(self) -> None:
        for id_ in self.ids:
            if id_ not in self.attempts:
                assert self.table.item(id_) is None, "there is an item that nobody claimed"

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
        for callback in self._answered():
            self._call_back_once_more(callback)
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
        self.nobody_believes_a_bad_callback()
        self.every_item_was_claimed()

    def _call_back_once_more(self, callback: Callback) -> None:
        """The last word of a charger is recorded, where its URL is good still."""
        if self._is_over(callback):
            return
        self._call_back(callback, callback.url, callback.body, smooth=False)
        invocation = self.running[-1]
        self._finish(invocation, Weather.ACCEPTS)
        attempt = self.attempts[callback.sender.id]
        if self.asked[callback.sender][1] is Journal or attempt.attemptKey is None:
            assert invocation.answer is not None
            assert invocation.answer["statusCode"] == 204, "lost: a good callback was refused"
            assert attempt.state is State.COMPLETED, f"lost: {attempt.state}, and the charger's answer came"

    def _is_so_of_a_deleted_attempt(self, invocation: Invocation, status: int, body: dict[str, Any]) -> None:
        """Its item is gone, or is another attempt's: what its caller heard is true of its own start all the same."""
        if status == 200 and body["status"] != "Unavailable":
            point = self._server(invocation.id).point(
                self._token(invocation.id, self._generation(invocation))
            )
            assert point.began == (body["status"] == "Accepted"), "another attempt's answer was told"
        elif status == 200 or body.get("outcome") == "not-started" or status == 404:
            assert invocation.started == 0, f"{status} {body}, and its request started a charge"
        else:
            assert status in (409, 422, 504), (status, body)

    def _call(self, id_: str, smooth: bool, pick: int = 0) -> None:
        body = {
            "id": id_,
            "chargerId": "CP-1",
            "tokenId": self._token(id_),
            "serverIpAddress": "127.0.0.1",
            "serverRestApiPort": self.ids[id_],
        }
        version = self._version(pick)
        invocation = connecting(body, self._service(version, 2.0 if self.ids[id_] == CALLING else 20.0))
        self.asked[invocation] = self.generations[id_], version
        self.running.append(invocation)
        self._note(invocation, smooth)

    def _call_back(
        self,
        callback: Callback,
        url: str,
        body: dict[str, Any] | None,
        smooth: bool,
        pick: int = 0,
        *,
        disbelieved: bool = False,
    ) -> None:
        assert body is not None
        service = CallbackService(self._journal(self._version(pick)), _SECRET)
        invocation = calling_back(url, body, service)
        if disbelieved:
            self.disbelieved.add(invocation)
        self.running.append(invocation)
        self._note(invocation, smooth)

    def _version(self, pick: int) -> type[Any]:
        return self.versions[pick // 6 % len(self.versions)]

    def _generation(self, invocation: Invocation) -> int:
        return self.asked[invocation][0]

    def _token(self, id_: str, generation: int | None = None) -> str:
        """Each attempt has its own, by which charge points count it."""
        return f"driver-{id_[-8:]}-{self.generations[id_] if generation is None else generation}"

    def _is_over(self, callback: Callback) -> bool:
        """Whether a callback's URL is good no more: its attempt was deleted or tried again, or a day has passed."""
        id_, sender = callback.sender.id, callback.sender
        if self._generation(sender) != self.generations[id_] or id_ not in self.attempts:
            return True
        expires = int(callback.url.split("?")[0].split("/")[-2])
        return self.attempts[id_].tries > sender.tries or expires <= self.clock.wall

    def _answered(self) -> list[Callback]:
        return [each for each in self.calling.callbacks if each.body]

    def _over(self) -> list[Callback]:
        return [each for each in self.calling.callbacks if self._is_over(each)]

    def _completed(self) -> list[Callback]:
        return [
            each for each in self._answered() if each.sender.id in self.completed and not self._is_over(each)
        ]

    def _untruth(self, callback: Callback) -> dict[str, Any]:
        """The opposite of what happened in the id's present attempt."""
        began = self.calling.point(self._token(callback.sender.id)).began
        return {"status": "Rejected" if began else "Accepted"}

    def _deletable(self) -> list[str]:
        """The ids whose item may go: no claim of theirs is under way that would open it again. A native server is left out: it knows
        an id for longer than its item."""
        if not self.deletes or sum(self.generations.values()) >= _MOST_DELETED:
            return []
        claiming = {each.id for each in self.running if each in self.asked and _claims(each.waiting)}
        claiming |= {each.sender.id for each in self.lost if not each.delivered and _claims(each)}
        return [id_ for id_ in self.attempts if self.ids[id_] != NATIVE and id_ not in claiming]

    def _weather(self, pick: int) -> Weather:
        return self.weathers[pick % len(self.weathers)]

    def _journal(self, version: type[Any]) -> Any:
        dynamodb = DynamoDB("http://127.0.0.1:8001", REGION, lambda: Credentials("local", "local", None))
        return version(dynamodb, self.table.name, repeatable=self.repeatable, clock=self.clock.time)

    def _service(self, version: type[Any], link_timeout: float) -> Service:
        """As a process of its own would have it."""
        circuits = Circuits(self.clock.time)
        return Service(
            journal=self._journal(version),
            link=Link(circuits, Secrets()),
            circuits=circuits,
            servers=LinkServers(_SERVERS),
            secret=_SECRET,
            link_timeout=link_timeout,
            callback_base_url=_CALLBACK_BASE,
        )

    def _is_held(self, attempt: Attempt) -> bool:
        return attempt.state is State.PENDING and attempt.lease >= self.clock.wall

    def _server(self, id_: str) -> PlainServer:
        return self._servers()[self.ids[id_]]

    def _servers(self) -> dict[int, PlainServer]:
        return {NATIVE: self.native, PLAIN: self.plain, CALLING: self.calling}

    def _not_delivered(self) -> list[Invocation]:
        return [each for each in self.running if each.waiting and not each.waiting.delivered]

    def _under_way(self) -> list[Message]:
        waiting = [each.waiting for each in self._not_delivered() if each.waiting]
        return waiting + [message for message in self.lost if not message.delivered]

    def _deliver(self, message: Message, weather: Weather) -> None:
        if message.delivered:
            return
        message.delivered = True
        if message.port in _PORTS:
            message.response = self._servers()[message.port].serve(message, weather)
            self.states_agree_with_what_happened()  # here, before anybody can make up for it
        else:
            body = json.loads(message.body)
            if message.headers["x-amz-target"].endswith(".GetItem"):
                message.response = self.table.read(body)
                return
            assert message.headers["x-amz-target"].endswith(".UpdateItem")
            message.response = self._update(body)
            id_ = body["Key"]["id"]["S"]
            found = self.table.item(id_)
            if found and (id_ in self.attempts or _claims(message)):
                self.attempts[id_] = Attempt.of(found)
            _count_try(message, body)

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
        if smooth and message and message.port not in _PORTS:
            self._deliver(message, Weather.ACCEPTS)
            self._answer(invocation, smooth)
        elif message is None:
            self.running.remove(invocation)
            if invocation.answer is not None and invocation in self.asked:
                self.ended.append(invocation)
            elif invocation.answer is not None:
                self.called_back.append((invocation, invocation in self.disbelieved))


def _claims(message: Message | None) -> bool:
    """Whether a request is the write of a claim, which alone names an owner."""
    return message is not None and message.port not in _PORTS and b'":owner"' in message.body


def _count_try(message: Message, body: dict[str, Any]) -> None:
    """Note which try a claim has won, by the table's answer to its write or to a repeat of that."""
    assert message.response is not None
    answer = json.loads(message.response.body)
    item = answer.get("Attributes") or answer.get("Item")
    if item and item.get("owner") == body["ExpressionAttributeValues"].get(":owner"):
        message.sender.tries = int(item["tries"]["N"])


def _other(text: str) -> str:
    return text[:-1] + ("0" if text[-1:] != "0" else "1")


def _waiting(invocation: Invocation) -> Message:
    assert invocation.waiting is not None
    return invocation.waiting


def _heard(invocation: Invocation) -> tuple[int, dict[str, Any]]:
    assert invocation.answer is not None
    return invocation.answer["statusCode"], json.loads(invocation.answer["body"])

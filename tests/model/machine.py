"""The state machine: callers, retries, crashes, timeouts, expired leases, late and lost responses, in any order.

Its main invariants are what the service guarantees. Each id starts at most one charge, counted as the requests that charge points
receive. Every id for which a caller received a response has an attempt, whose state agrees with what happened.

A server that calls back sends callbacks: early, late, repeated, contradicting the recorded answer, for an earlier try, forged,
without the key's signature. Items are deleted and their ids used again: an id's *generation* counts its deletions.
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
from common.aws.credentials import Credentials
from common.journal import Attempt, DynamoDB, Journal, State
from common.transport import Response
from local.table import REGION
from tests.model.harness import End, Invocation, Request, invoke_callback, invoke_connect
from tests.model.servers import Behavior, Callback, CallingServer, NativeServer, PlainServer

if TYPE_CHECKING:
    from tests.model.harness import Clock
    from tests.model.table import Table

NATIVE, PLAIN, CALLING = _PORTS = 9001, 9002, 9003
LEASE = 30.0  # seconds; longer than any lease
WINDOW = 3700.0  # seconds; longer than the repeat window
_RETRIED = 2  # the number of newest ids that are retried
_MAX_RUNNING = 4
_MAX_DELETED = 2  # ids in one run
_SECRET = b"a secret of the model's"
_CALLBACK_BASE = "https://charge.example.com"
_numbers = count(1)  # the table outlives a run
_NATIVE, _PLAIN, _CALLING = (
    LinkServer.model_validate({"network": "127.0.0.0/8", "ports": [port], "scheme": "http"})
    for port in _PORTS
)
# "plain" is not a dialect of the service: it sends native requests to a server that stores nothing.
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


picks = st.integers(0, 59)  # selects one of several, modulo their number: 60 has many divisors
# Whether the table responds at once, until the invocation sends a request to a server.
table_responds = st.sampled_from([True, True, False])


class Defect(StrEnum):
    """What makes a callback invalid."""

    SIGNATURE = "it has a wrong signature"
    KEY_SIGNATURE = "the key's signature is wrong"
    NO_KEY = "it has no key's signature, like a URL of version 1.0"
    EXPIRY = "its expiry was changed"


class Callers(RuleBasedStateMachine):
    """The state machine.

    `table` and `clock` are the harness's. `repeatable` names the dialects whose starts the journal repeats. `ports`, `behaviors`
    and `max_ids` (in one run) narrow the search. `deletes` adds the deletion of items. `versions` are the journals of the
    deployed versions: each invocation has one of them.
    """

    table: ClassVar[Table]
    clock: ClassVar[Clock]
    repeatable: ClassVar[frozenset[str]] = frozenset(REPEATABLE)
    ports: ClassVar[tuple[int, ...]] = _PORTS
    behaviors: ClassVar[tuple[Behavior, ...]] = tuple(Behavior)
    max_ids: ClassVar[int] = 6
    deletes: ClassVar[bool] = False
    versions: ClassVar[tuple[type[Any], ...]] = (Journal,)

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, int] = {}  # each with the port of its server
        self.generations: dict[str, int] = {}
        # Each invocation with its generation and its journal.
        self.requested: dict[Invocation, tuple[int, type[Any]]] = {}
        self.native, self.plain, self.calling = NativeServer(), PlainServer(), CallingServer()
        self.running: list[Invocation] = []
        self.ended: list[Invocation] = []
        # The ended invocations, each with whether its callback was invalid.
        self.called_back: list[tuple[Invocation, bool]] = []
        self.invalid: set[Invocation] = set()
        # Requests that may still arrive, although their senders have stopped waiting.
        self.lost: list[Request] = []
        self.attempts: dict[str, Attempt] = {}
        self.completed: dict[str, Attempt] = {}
        self.began_at = self.clock.wall

    # The steps of callers.

    @precondition(lambda self: len(self.running) < _MAX_RUNNING and len(self.ids) < self.max_ids)
    @rule(pick=picks, table_responds=table_responds)
    def begin(self, pick: int, table_responds: bool) -> None:
        """A caller sends a request with a new id."""
        id_ = str(UUID(int=next(_numbers)))
        self.ids[id_] = self.ports[pick % len(self.ports)]
        self.generations[id_] = 0
        self._call(id_, table_responds, pick)

    @precondition(lambda self: self.ids and len(self.running) < _MAX_RUNNING)
    @rule(pick=picks, table_responds=table_responds)
    def retry(self, pick: int, table_responds: bool) -> None:
        """A caller sends a duplicate, or retries."""
        ids = list(self.ids)[-_RETRIED:]
        self._call(ids[pick % len(ids)], table_responds, pick)

    # The steps of the network.

    @precondition(lambda self: self.running)
    @rule(pick=picks, behavior=picks, table_responds=table_responds)
    def serve(self, pick: int, behavior: int, table_responds: bool) -> None:
        """A request is delivered, and its sender receives the response."""
        invocation = self.running[pick % len(self.running)]
        self._deliver(_waiting(invocation), self._behavior(behavior))
        self._respond(invocation, table_responds)

    @precondition(lambda self: self._under_way())
    @rule(pick=picks, behavior=picks)
    def deliver(self, pick: int, behavior: int) -> None:
        """A request is delivered, perhaps after its sender has stopped waiting."""
        under_way = self._under_way()
        self._deliver(under_way[pick % len(under_way)], self._behavior(behavior))

    @precondition(lambda self: self.running)
    @rule(
        pick=picks,
        end=st.sampled_from([End.BROKEN, End.TIMED_OUT, End.KILLED]),
        arrival=st.sampled_from(Arrival),
        behavior=picks,
        table_responds=table_responds,
    )
    def lose(self, pick: int, end: End, arrival: Arrival, behavior: int, table_responds: bool) -> None:
        """The connection breaks, the response is too late, or the invocation is killed. The request is executed now, later or never."""
        invocation = self.running[pick % len(self.running)]
        request = _waiting(invocation)
        if arrival is Arrival.NOW:
            self._deliver(request, self._behavior(behavior))
        elif arrival is Arrival.LATER and not request.delivered:
            self.lost.append(request)
        self._resume(invocation, end, table_responds)

    @precondition(lambda self: self._not_delivered())
    @rule(pick=picks, kind=st.sampled_from([None, "ThrottlingException", "AccessDeniedException"]))
    def refuse(self, pick: int, kind: str | None) -> None:
        """The connection is not made, or the table returns an error."""
        waiting = self._not_delivered()
        invocation = waiting[pick % len(waiting)]
        request = _waiting(invocation)
        if kind is None or request.port in _PORTS:
            self._resume(invocation, End.REFUSED)
        else:
            request.delivered = True
            request.response = Response(400, {}, json.dumps({"__type": f"x#{kind}"}).encode())
            self._respond(invocation)

    @precondition(lambda self: self.running)
    @rule(pick=picks)
    def run_to_end(self, pick: int) -> None:
        """One invocation runs to its end without a fault."""
        self._finish(self.running[pick % len(self.running)], Behavior.ACCEPTS)

    @precondition(lambda self: any(self._is_held(attempt) for attempt in self.attempts.values()))
    @rule(seconds=st.sampled_from([LEASE, LEASE, LEASE, WINDOW]))
    def pass_time(self, seconds: float) -> None:
        """Leases expire. Their owners may still run: a process can be frozen."""
        self.clock.wall += seconds

    @precondition(lambda self: any(record.late for record in self.native.records.values()))
    @rule()
    def answer_late(self) -> None:
        self.native.answer_late()

    # The steps of a server that calls back, and of a client that has or guesses its URLs.

    @precondition(lambda self: self._answered() and len(self.running) < _MAX_RUNNING)
    @rule(pick=picks, table_responds=table_responds)
    def call_back(self, pick: int, table_responds: bool) -> None:
        """A charger's answer is posted: at once, late, or again; for this try, or for an earlier attempt with the id."""
        answered = self._answered()
        callback = answered[pick % len(answered)]
        self._call_back(
            callback, callback.url, callback.body, table_responds, pick, invalid=self._is_expired(callback)
        )

    @precondition(lambda self: self._completed() and len(self.running) < _MAX_RUNNING)
    @rule(pick=picks, table_responds=table_responds)
    def contradict(self, pick: int, table_responds: bool) -> None:
        """The opposite of the recorded answer is posted to a valid URL."""
        completed = self._completed()
        callback = completed[pick % len(completed)]
        self._call_back(callback, callback.url, self._opposite(callback), table_responds, pick)

    @precondition(lambda self: self._expired() and len(self.running) < _MAX_RUNNING)
    @rule(pick=picks, table_responds=table_responds)
    def call_back_too_late(self, pick: int, table_responds: bool) -> None:
        """An answer that is false for the present try is posted to an expired URL."""
        expired = self._expired()
        callback = expired[pick % len(expired)]
        self._call_back(callback, callback.url, self._opposite(callback), table_responds, pick, invalid=True)

    @precondition(lambda self: self.calling.callbacks and len(self.running) < _MAX_RUNNING)
    @rule(pick=picks, defect=st.sampled_from(Defect), table_responds=table_responds)
    def forge(self, pick: int, defect: Defect, table_responds: bool) -> None:
        """A false answer is posted to a URL that the service did not create."""
        callback = self.calling.callbacks[pick % len(self.calling.callbacks)]
        path, _, query = callback.url.partition("?")
        before, expires, signature = path.rsplit("/", 2)
        if not query:  # created by version 1.0
            defect = Defect.SIGNATURE
        forged = {
            Defect.SIGNATURE: f"{before}/{expires}/{_change(signature)}?{query}",
            Defect.KEY_SIGNATURE: f"{path}?{_change(query)}",
            Defect.NO_KEY: path,
            Defect.EXPIRY: f"{before}/{int(expires) - 1}/{signature}?{query}",
        }[defect]
        if defect in (Defect.KEY_SIGNATURE, Defect.NO_KEY):
            pick = 0  # version 1.0 has no key to verify
        self._call_back(callback, forged, self._opposite(callback), table_responds, pick, invalid=True)

    @precondition(lambda self: self._deletable())
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        """An item is deleted. A later request with its id is a request for another charge."""
        ids = self._deletable()
        id_ = ids[pick % len(ids)]
        self.table.delete(id_)
        del self.attempts[id_]
        self.completed.pop(id_, None)
        self.generations[id_] += 1

    # The invariants.

    @invariant()
    def no_id_starts_twice(self) -> None:
        for server in (self.native, self.plain, self.calling):
            for token, point in server.points.items():
                assert point.received <= 1, f"{token} was started {point.received} times"

    @invariant()
    def states_agree_with_the_charge_points(self) -> None:
        for id_, attempt in self.attempts.items():
            point = self._server(id_).point(self._token(id_))
            match attempt.state:
                case State.COMPLETED:
                    assert attempt.answer is not None
                    accepted = attempt.answer["outcome"] == "accepted"
                    assert point.began == accepted, f"{attempt.answer['outcome']}, and began {point.began}"
                case State.FAILED:
                    assert point.received == 0, "failed, and a charge point received a request"

    @invariant()
    def completed_attempts_do_not_change(self) -> None:
        for id_, attempt in self.attempts.items():
            if id_ in self.completed:
                before = self.completed[id_]
                # A callback does not record the durations: settling adds them.
                if before.milliseconds is None and attempt.milliseconds:
                    before = before._replace(milliseconds=attempt.milliseconds, updatedAt=attempt.updatedAt)
                    self.completed[id_] = before
                assert attempt == before, "a completed attempt was changed"
            elif attempt.state is State.COMPLETED:
                self.completed[id_] = attempt

    @invariant()
    def responses_are_true(self) -> None:
        for invocation in self.ended:
            status, body = _response_of(invocation)
            if self._generation(invocation) != self.generations[invocation.id]:
                self._check_response_of_deleted_attempt(invocation, status, body)
            elif status == 200 and body["status"] != "Unavailable":
                attempt = self.attempts.get(invocation.id)
                recorded = attempt.answer if attempt else None
                assert recorded is not None, "a success was returned that is not recorded"
                assert recorded["status"] == body["status"], "the returned answer is not the recorded one"
            elif status == 200 or body.get("outcome") == "not-started" or status == 404:
                assert invocation.started == 0, f"{status} {body}, and its request started a charge"
            else:
                assert status in (409, 504), (status, body)
            if status != 503 and self._generation(invocation) == self.generations[invocation.id]:
                assert invocation.id in self.attempts, f"{status} was returned, and there is no attempt"

    @invariant()
    def invalid_callbacks_are_rejected(self) -> None:
        for invocation, invalid in self.called_back:
            assert invocation.response is not None
            status = invocation.response["statusCode"]
            assert status in (404, 503, *([] if invalid else [204])), f"an invalid callback received {status}"

    @invariant()
    def every_item_belongs_to_a_claim(self) -> None:
        for id_ in self.ids:
            if id_ not in self.attempts:
                assert self.table.item(id_) is None, "there is an item without a claim"

    def teardown(self) -> None:
        """End every invocation, deliver every lost request, retry every id, and check that all results are recorded."""
        while self.running:
            self._finish(self.running[0], Behavior.ACCEPTS)
        for request in self.lost:
            self._deliver(request, Behavior.ACCEPTS)
        self._check()
        self.native.answer_late()
        for id_ in self.attempts:
            if id_ not in self.completed:
                self._retry_once_more(id_)
        self._check()
        for callback in self._answered():
            self._call_back_once_more(callback)
        self._check()

    def _retry_once_more(self, id_: str) -> None:
        in_window = self.clock.wall + LEASE < self.began_at + WINDOW - LEASE * 4
        self.clock.wall += LEASE
        self._call(id_, table_responds=False)
        self._finish(self.running[-1], Behavior.ACCEPTS)
        attempt = self.attempts[id_]
        if self.ids[id_] == NATIVE and in_window and self.native.has_result(id_):
            assert attempt.state is State.COMPLETED, f"lost: {attempt.state}, and the server has the result"
        else:
            assert attempt.known_state(self.clock.wall) in (State.COMPLETED, State.UNKNOWN)

    def _check(self) -> None:
        self.no_id_starts_twice()
        self.states_agree_with_the_charge_points()
        self.completed_attempts_do_not_change()
        self.responses_are_true()
        self.invalid_callbacks_are_rejected()
        self.every_item_belongs_to_a_claim()

    def _call_back_once_more(self, callback: Callback) -> None:
        """Check that a charger's answer is recorded if its URL is still valid."""
        if self._is_expired(callback):
            return
        self._call_back(callback, callback.url, callback.body, table_responds=False)
        invocation = self.running[-1]
        self._finish(invocation, Behavior.ACCEPTS)
        attempt = self.attempts[callback.sender.id]
        if self.requested[callback.sender][1] is Journal or attempt.attemptKey is None:
            assert invocation.response is not None
            assert invocation.response["statusCode"] == 204, "lost: a valid callback was rejected"
            assert attempt.state is State.COMPLETED, f"lost: {attempt.state}, and the charger answered"

    def _check_response_of_deleted_attempt(
        self, invocation: Invocation, status: int, body: dict[str, Any]
    ) -> None:
        """Check that the response is true of its own start, although its item was deleted or belongs to another attempt."""
        if status == 200 and body["status"] != "Unavailable":
            point = self._server(invocation.id).point(
                self._token(invocation.id, self._generation(invocation))
            )
            assert point.began == (body["status"] == "Accepted"), "another attempt's answer was returned"
        elif status == 200 or body.get("outcome") == "not-started" or status == 404:
            assert invocation.started == 0, f"{status} {body}, and its request started a charge"
        else:
            assert status in (409, 422, 504), (status, body)

    def _call(self, id_: str, table_responds: bool, pick: int = 0) -> None:
        body = {
            "id": id_,
            "chargerId": "CP-1",
            "tokenId": self._token(id_),
            "serverIpAddress": "127.0.0.1",
            "serverRestApiPort": self.ids[id_],
        }
        version = self._version(pick)
        invocation = invoke_connect(body, self._service(version, 2.0 if self.ids[id_] == CALLING else 20.0))
        self.requested[invocation] = self.generations[id_], version
        self.running.append(invocation)
        self._proceed(invocation, table_responds)

    def _call_back(
        self,
        callback: Callback,
        url: str,
        body: dict[str, Any] | None,
        table_responds: bool,
        pick: int = 0,
        *,
        invalid: bool = False,
    ) -> None:
        assert body is not None
        service = CallbackService(self._journal(self._version(pick)), _SECRET)
        invocation = invoke_callback(url, body, service)
        if invalid:
            self.invalid.add(invocation)
        self.running.append(invocation)
        self._proceed(invocation, table_responds)

    def _version(self, pick: int) -> type[Any]:
        return self.versions[pick // 6 % len(self.versions)]

    def _generation(self, invocation: Invocation) -> int:
        return self.requested[invocation][0]

    def _token(self, id_: str, generation: int | None = None) -> str:
        """Return the token of an attempt; charge points count by it."""
        return f"driver-{id_[-8:]}-{self.generations[id_] if generation is None else generation}"

    def _is_expired(self, callback: Callback) -> bool:
        """Return whether a callback's URL is no longer valid: its attempt was deleted or tried again, or a day has passed."""
        id_, sender = callback.sender.id, callback.sender
        if self._generation(sender) != self.generations[id_] or id_ not in self.attempts:
            return True
        expires = int(callback.url.split("?")[0].split("/")[-2])
        return self.attempts[id_].tries > sender.tries or expires <= self.clock.wall

    def _answered(self) -> list[Callback]:
        return [each for each in self.calling.callbacks if each.body]

    def _expired(self) -> list[Callback]:
        return [each for each in self.calling.callbacks if self._is_expired(each)]

    def _completed(self) -> list[Callback]:
        return [
            each
            for each in self._answered()
            if each.sender.id in self.completed and not self._is_expired(each)
        ]

    def _opposite(self, callback: Callback) -> dict[str, Any]:
        """Return the opposite of what happened in the id's present attempt."""
        began = self.calling.point(self._token(callback.sender.id)).began
        return {"status": "Rejected" if began else "Accepted"}

    def _deletable(self) -> list[str]:
        """Return the ids whose item may be deleted: no claim that would create it again is under way. Ids of a native server are
        excluded: it stores an id for longer than its item."""
        if not self.deletes or sum(self.generations.values()) >= _MAX_DELETED:
            return []
        claiming = {each.id for each in self.running if each in self.requested and _is_claim(each.waiting)}
        claiming |= {each.sender.id for each in self.lost if not each.delivered and _is_claim(each)}
        return [id_ for id_ in self.attempts if self.ids[id_] != NATIVE and id_ not in claiming]

    def _behavior(self, pick: int) -> Behavior:
        return self.behaviors[pick % len(self.behaviors)]

    def _journal(self, version: type[Any]) -> Any:
        dynamodb = DynamoDB("http://127.0.0.1:8001", REGION, lambda: Credentials("local", "local", None))
        return version(dynamodb, self.table.name, repeatable=self.repeatable, clock=self.clock.time)

    def _service(self, version: type[Any], link_timeout: float) -> Service:
        """Return the service of a new process."""
        circuits = Circuits(self.clock.time)
        return Service(
            journal=self._journal(version),
            link=Link(circuits, Secrets.of(None)),
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

    def _under_way(self) -> list[Request]:
        waiting = [each.waiting for each in self._not_delivered() if each.waiting]
        return waiting + [request for request in self.lost if not request.delivered]

    def _deliver(self, request: Request, behavior: Behavior) -> None:
        if request.delivered:
            return
        request.delivered = True
        if request.port in _PORTS:
            request.response = self._servers()[request.port].serve(request, behavior)
            self.states_agree_with_the_charge_points()  # here, before a later step can correct it
        else:
            body = json.loads(request.body)
            if request.headers["x-amz-target"].endswith(".GetItem"):
                request.response = self.table.read(body)
                return
            assert request.headers["x-amz-target"].endswith(".UpdateItem")
            request.response = self._update(body)
            id_ = body["Key"]["id"]["S"]
            stored = self.table.item(id_)
            if stored and (id_ in self.attempts or _is_claim(request)):
                self.attempts[id_] = Attempt.of(stored)
            _count_try(request, body)

    def _update(self, body: dict[str, Any]) -> Response:
        return self.table.update(body)

    def _finish(self, invocation: Invocation, behavior: Behavior) -> None:
        while invocation.waiting:
            self._deliver(invocation.waiting, behavior)
            self._respond(invocation)

    def _respond(self, invocation: Invocation, table_responds: bool = False) -> None:
        self._resume(
            invocation, End.RESPONDED if _waiting(invocation).response else End.BROKEN, table_responds
        )

    def _resume(self, invocation: Invocation, end: End, table_responds: bool = False) -> None:
        invocation.resume(end)
        self._proceed(invocation, table_responds)

    def _proceed(self, invocation: Invocation, table_responds: bool) -> None:
        request = invocation.waiting
        if table_responds and request and request.port not in _PORTS:
            self._deliver(request, Behavior.ACCEPTS)
            self._respond(invocation, table_responds)
        elif request is None:
            self.running.remove(invocation)
            if invocation.response is not None and invocation in self.requested:
                self.ended.append(invocation)
            elif invocation.response is not None:
                self.called_back.append((invocation, invocation in self.invalid))


def _is_claim(request: Request | None) -> bool:
    """Return whether a request is the write of a claim: only that one sets an owner."""
    return request is not None and request.port not in _PORTS and b'":owner"' in request.body


def _count_try(request: Request, body: dict[str, Any]) -> None:
    """Note which try a claim got, from the table's response to its write or to a repeat of it."""
    assert request.response is not None
    document = json.loads(request.response.body)
    item = document.get("Attributes") or document.get("Item")
    if item and item.get("owner") == body["ExpressionAttributeValues"].get(":owner"):
        request.sender.tries = int(item["tries"]["N"])


def _change(text: str) -> str:
    return text[:-1] + ("0" if text[-1:] != "0" else "1")


def _waiting(invocation: Invocation) -> Request:
    assert invocation.waiting is not None
    return invocation.waiting


def _response_of(invocation: Invocation) -> tuple[int, dict[str, Any]]:
    assert invocation.response is not None
    return invocation.response["statusCode"], json.loads(invocation.response["body"])

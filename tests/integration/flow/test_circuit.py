"""Which request uses the trial of an open circuit, and how silent chargers differ from a server that fails."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import Circuits, Link, LinkServers
from charger_link.dialects import native
from charger_link.secrets import Secrets
from common.transport import Deadline
from tests.integration.calling import LOOPBACK, Caller, calling, request
from tests.integration.misbehaving import (
    Misbehaving,
    Peer,
    hangs,
    responds_with,
    response,
    sends_problem,
    status_body,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.table import TableServer

CHARGERS = ("CP-1", "CP-2", "CP-3")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(caller: Caller) -> Clock:
    """The clock of the caller's circuits."""
    clock = Clock()
    use_circuits(caller, Circuits(clock))
    return clock


def use_circuits(caller: Caller, circuits: Circuits) -> None:
    caller.service = replace(caller.service, circuits=circuits, link=Link(circuits, Secrets.of(None)))


def open_circuit(caller: Caller, server: Misbehaving, clock: Clock) -> None:
    """Open the circuit by failed connections, and set the clock to the time at which a trial is due."""
    for _ in range(3):
        caller.service.circuits.failed(f"127.0.0.1:{server.port}", None)
    assert caller.post(request(server.port)).problem == "circuit-open"
    clock.now += 10


def hang_at_starts(peer: Peer) -> None:
    """Respond to every request except a start: the server still waits for its charger."""
    if peer.read().method == "PUT":
        peer.hang()
    peer.send(response(404, b"{}", "Content-Type: application/problem+json"))


def time_out(caller: Caller, server: Misbehaving) -> None:
    caller.service = replace(caller.service, link_timeout=0.15)
    for charger in CHARGERS:
        reply = caller.post(request(server.port, chargerId=charger))
        assert (reply.status, reply.problem) == (504, "outcome-unknown")
    caller.service = replace(caller.service, link_timeout=5)


def checks(server: Misbehaving) -> list[str]:
    return [received.path for received in server.requests if received.method == "GET"]


# the trial


def test_requests_that_never_call_the_server_leave_the_trial_to_one_that_does(
    caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    """Requests whose responses are a replay, 409, 422 and 504, several times each. Then one request that calls the server."""
    done, unknown, held = (request(server.port) for _ in range(3))
    assert caller.post(done).status == 200
    release, reached = Event(), Event()

    def wait_for_release(peer: Peer) -> None:
        peer.read()
        reached.set()
        release.wait(20)
        peer.send(response(200, status_body(), "Content-Type: application/json"))

    caller.at(repeatable=[])
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(unknown).outcome == "unknown"
    server.set_scripts(wait_for_release)
    concurrent = Thread(target=caller.post, args=(held,), daemon=True)
    concurrent.start()
    try:
        assert reached.wait(20)
        open_circuit(caller, server, clock)
        server.set_scripts(responds_with())
        for _ in range(3):
            assert caller.post(done).headers["Idempotent-Replayed"] == "true"
            assert caller.post(held).problem == "attempt-in-progress"
            assert caller.post(done, caller="mallory").problem == "id-reused"
            assert caller.post(unknown).problem == "outcome-unknown"
        assert caller.post(request(server.port)).status == 200, "the trial is still unused"
        assert caller.post(request(server.port)).status == 200, "the trial closed the circuit"
    finally:
        release.set()
        concurrent.join(20)


def test_a_request_whose_dialect_sends_nothing_takes_no_trial(
    table: TableServer, server: Misbehaving
) -> None:
    with calling(table, {**LOOPBACK, "dialect": "steve"}) as caller:
        clock = Clock()
        use_circuits(caller, Circuits(clock))
        open_circuit(caller, server, clock)
        assert caller.post(request(server.port, tokenId="T" * 21)).body["info"] == "token-too-long"
        assert caller.post(request(server.port, tokenId=None)).problem == "status-not-available"
        body = b'{"successResponses": [{"chargeBoxId": "CP-1", "response": "Accepted"}]}'
        server.set_scripts(responds_with(body=body))
        assert caller.post(request(server.port)).status == 200


class LosingCircuits(Circuits):
    """Another request takes the trial between this one's check and its call."""

    def check(self, server: str) -> bool:
        suspect = super().check(server)
        self.enter(server)
        return suspect


def test_a_request_that_loses_the_trial_has_sent_nothing_and_can_be_sent_again(
    caller: Caller, server: Misbehaving
) -> None:
    clock = Clock()
    use_circuits(caller, LosingCircuits(clock))
    open_circuit(caller, server, clock)
    members = request(server.port)
    reply = caller.post(members)
    assert (reply.status, reply.problem, reply.outcome) == (503, "circuit-open", "not-started")
    assert int(reply.headers["Retry-After"]) == 10
    assert server.requests == []
    assert caller.get(members["id"]).body["state"] == "failed"
    use_circuits(caller, Circuits())
    assert caller.post(members).status == 200
    assert len(server.starts) == 1


def test_an_attempt_in_doubt_that_loses_the_trial_stays_unknown(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(members).outcome == "unknown"
    clock, sent = Clock(), len(server.starts)
    use_circuits(caller, LosingCircuits(clock))
    for _ in range(3):
        caller.service.circuits.failed(f"127.0.0.1:{server.port}", None)
    clock.now += 10
    reply = caller.post(members)
    assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
    assert (len(server.starts), caller.get(members["id"]).body["state"]) == (sent, "unknown")
    use_circuits(caller, Circuits())
    server.set_scripts(responds_with())
    assert caller.post(members).outcome == "accepted"


# silence


def test_silent_chargers_leave_the_circuit_of_a_server_that_answers_closed(
    caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    server.set_scripts(hang_at_starts)
    for _ in range(3):
        time_out(caller, server)
        starts = len(server.starts)
        server.set_scripts(hang_at_starts, responds_with(body=status_body("CP-4")))
        assert caller.post(request(server.port, chargerId="CP-4")).status == 200
        assert len(server.starts) == starts + 1
        server.set_scripts(hang_at_starts)
        clock.now += 10
    assert checks(server) == [native.DIALECT.health_path] * 3


def test_the_server_is_checked_once_in_ten_seconds_and_only_after_failures(
    caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    server.set_scripts(hang_at_starts)
    time_out(caller, server)
    assert checks(server) == []
    for _ in range(2):
        time_out(caller, server)
        assert checks(server) == [native.DIALECT.health_path]
    clock.now += 10
    time_out(caller, server)
    assert checks(server) == [native.DIALECT.health_path] * 2


@pytest.mark.parametrize(
    "answer",
    [
        sends_problem(401),
        sends_problem(404),
        responds_with(302, b"", "text/html"),
        responds_with(body=b"x" * 100_000),
    ],
)
def test_any_complete_response_passes_the_check(
    answer: Callable[[Peer], None], caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    server.set_scripts(hangs)
    time_out(caller, server)
    server.set_scripts(answer, responds_with())
    assert caller.post(request(server.port)).status == 200


def test_the_circuit_of_a_server_that_hangs_opens_and_closes_again(
    caller: Caller, server: Misbehaving, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    server.set_scripts(hangs)
    time_out(caller, server)
    for _ in range(3):
        starts, refused = len(server.starts), request(server.port)
        for _ in range(3):
            reply = caller.post(refused)
            assert (reply.status, reply.problem, reply.outcome) == (503, "circuit-open", "not-started")
            assert 1 <= int(reply.headers["Retry-After"]) <= 10
        assert caller.get(refused["id"]).status == 404
        assert len(server.starts) == starts, "no start is sent to it"
        clock.now += 10
    assert len(checks(server)) == 3
    assert capsys.readouterr().out.count('"CircuitsOpened":') == 1
    server.set_scripts(responds_with())
    assert caller.post(refused).status == 200


def test_the_circuit_of_a_silent_server_that_then_refuses_connections_opens(
    caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    server.set_scripts(hangs)
    time_out(caller, server)
    server.leave()
    assert caller.post(request(server.port)).problem == "circuit-open"


def test_what_was_started_is_replayed_while_the_server_hangs(
    caller: Caller, server: Misbehaving, clock: Clock
) -> None:
    done = request(server.port)
    assert caller.post(done).status == 200
    server.set_scripts(hangs)
    time_out(caller, server)
    assert caller.post(done).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (hangs, "charger-silent"),
        (lambda peer: peer.hang(), "charger-silent"),
        (lambda peer: (peer.read(), peer.send(b"HTTP/1.1 200 OK\r\n"), peer.hang()), "timeout"),
        (lambda peer: peer.read(), "reset"),
    ],
    ids=["the request read", "the request unread", "half an answer", "closed"],
)
def test_a_server_that_accepted_the_request_and_returned_nothing_has_a_silent_charger(
    script: Any, kind: str, caller: Caller, server: Misbehaving, capsys: pytest.CaptureFixture[str]
) -> None:
    caller.service = replace(caller.service, link_timeout=0.3)
    server.set_scripts(script)
    assert caller.post(request(server.port)).status == 504
    assert f'"kind":"{kind}"' in capsys.readouterr().out.replace('": "', '":"')


def test_a_secret_that_cannot_be_read_does_not_count_as_a_failure_of_the_server(server: Misbehaving) -> None:
    circuits = Circuits()
    link = Link(circuits, Secrets(lambda *_: "no secret"))
    entry = json.dumps([{**LOOPBACK, "secret": "name"}])
    target = LinkServers.parse(entry).find("127.0.0.1", server.port)
    for charger in CHARGERS:
        circuits.failed(target.name, charger)
    link.check_server(target, Deadline.after(5))
    circuits.enter(target.name)
    assert server.connections == 0


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_without_time_for_the_check_no_circuit_is_opened(seconds: float, server: Misbehaving) -> None:
    circuits = Circuits()
    target = LinkServers.parse(json.dumps([LOOPBACK])).find("127.0.0.1", server.port)
    for charger in CHARGERS:
        circuits.failed(target.name, charger)
    Link(circuits, Secrets.of(None)).check_server(target, Deadline.after(seconds))
    circuits.enter(target.name)
    assert server.connections == 0

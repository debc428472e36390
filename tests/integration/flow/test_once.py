"""One id, one start: with concurrent callers, repeats, lost responses of the table, and invocations that are killed or late."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from local.table import LOST_RESPONSE, Fault
from tests.integration.calling import LOOPBACK, Caller, CallerResponse, calling, request
from tests.integration.misbehaving import (
    Misbehaving,
    Peer,
    responds_with,
    response,
    sends,
    sends_problem,
    status_body,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


TIMEOUT = 20  # seconds


@pytest.fixture
def caller(table: TableServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """These tests do not depend on time: the long timeout avoids repeated writes on a busy machine."""
    monkeypatch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 29.0)
    monkeypatch.setattr("common.aws.client._FIRST_TIMEOUT", 29.0)
    with calling(table, LINK_TIMEOUT=f"{TIMEOUT}") as caller:
        yield caller


def state(caller: Caller, members: dict[str, Any]) -> str:
    return str(caller.get(members["id"]).body["state"])


def after_leases(caller: Caller) -> Caller:
    """Return the caller with a clock at which every lease has expired."""
    return caller.at(60)


class HeldResponse:
    """A script that reads a request and responds when the test releases it."""

    def __init__(self, *responses: bytes) -> None:
        self._responses = list(responses)
        self.reached, self.release = Event(), Event()

    def __call__(self, peer: Peer) -> None:
        peer.read()
        self.reached.set()
        self.release.wait(TIMEOUT)
        peer.send(self._responses.pop(0))


class ConcurrentCall(Thread):
    """A request that is sent in a thread of its own."""

    def __init__(self, caller: Caller, members: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._arguments = (caller, members)
        self._replies: list[CallerResponse] = []
        self.start()

    def run(self) -> None:
        caller, members = self._arguments
        self._replies.append(caller.post(members))

    def reply(self) -> CallerResponse:
        self.join(2 * TIMEOUT)
        return self._replies[0]


def ok(status: str = "Accepted") -> bytes:
    return response(200, status_body(status=status), "Content-Type: application/json")


def test_of_fifty_callers_at_once_one_starts(caller: Caller, server: Misbehaving) -> None:
    held = HeldResponse(ok())
    server.set_scripts(held, responds_with(body=status_body(status="Rejected")))
    members = request(server.port)
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(caller.post, members) for _ in range(50)]
        assert held.reached.wait(TIMEOUT)
        early = [call.result() for call in calls if call.done()]
        held.release.set()
        replies = [call.result() for call in calls]
    assert len(server.starts) == 1
    statuses = Counter(one.status for one in replies)
    assert statuses[200] + statuses[409] == 50
    assert statuses[200] >= 1
    assert {one.body["status"] for one in replies if one.status == 200} == {"Accepted"}
    for one in replies:
        if one.status == 409:
            assert (one.problem, one.outcome) == ("attempt-in-progress", "pending")
            assert int(one.headers["Retry-After"]) >= 1
    assert all(one.status == 409 for one in early), (
        "no caller receives an answer before the charger responded"
    )


def test_a_repeat_receives_the_same_reply_and_starts_nothing(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    members = request(server.port)
    first = caller.post(members)
    assert table.operations == {"UpdateItem": 2}
    table.operations.clear()
    again = [caller.post(members), after_leases(caller).post(members)]
    assert [one.body for one in again] == [first.body, first.body]
    assert [one.headers.get("Idempotent-Replayed") for one in (first, *again)] == [None, "true", "true"]
    assert len(server.starts) == 1
    assert table.operations == {"UpdateItem": 2}, "a replay is one write attempt"


@pytest.mark.parametrize(
    "changes",
    [
        {"chargerId": "CP-2"},
        {"tokenId": "other"},
        {"tokenId": None},
        {"serverIpAddress": "127.0.0.2"},
        {"serverRestApiPort": 9},
    ],
)
def test_the_same_id_for_another_request_is_rejected(
    changes: dict[str, Any], caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port)
    caller.post(members)
    reply = caller.post({**members, **changes})
    assert (reply.status, reply.problem, reply.outcome) == (422, "id-reused", None)
    assert len(server.requests) == 1


def test_the_same_id_of_another_caller_is_rejected_without_any_detail_of_the_attempt(
    caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port)
    caller.post(members, caller="alice")
    reply = caller.post(members, caller="mallory")
    assert (reply.status, reply.problem) == (422, "id-reused")
    assert "Accepted" not in str(reply.body)
    assert caller.post(members, connector="2").status == 422


def test_another_spelling_of_the_address_is_the_same_request(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    caller.post(members)
    reply = caller.post({**members, "serverIpAddress": "::ffff:127.0.0.1"})
    assert reply.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("fault", [LOST_RESPONSE, Fault(error="InternalServerError")], ids=["dropped", "500"])
@pytest.mark.parametrize("lost", [1, 2], ids=["at claim", "at settle"])
def test_a_lost_response_of_the_table_has_no_effect(
    lost: int, fault: Fault, caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    # A retry of the claim is one more write, so the settlement is the second write only if no response was lost before.
    table.on_request = lambda *_: fault if table.operations["UpdateItem"] == lost else None
    members = request(server.port)
    reply = caller.post(members)
    assert (reply.status, reply.body["status"]) == (200, "Accepted")
    assert len(server.starts) == 1
    assert state(caller, members) == "completed"
    assert table.operations["UpdateItem"] == 3


def test_a_takeover_joins_the_call_of_an_invocation_that_still_runs(
    caller: Caller, server: Misbehaving
) -> None:
    """Its lease has expired, but it still runs. Both call the server, which knows the id. The first stored answer is kept."""
    first, second = HeldResponse(ok("Charging")), HeldResponse(ok("Charging"))
    server.set_scripts(first, second)
    members = request(server.port)
    one = ConcurrentCall(caller, members)
    assert first.reached.wait(TIMEOUT)
    other = ConcurrentCall(after_leases(caller), members)
    assert second.reached.wait(TIMEOUT)
    second.release.set()
    assert other.reply().status == 200
    assert state(caller, members) == "completed"
    first.release.set()
    assert one.reply().body == other.reply().body
    assert len({received.path for received in server.starts}) == 1
    assert caller.get(members["id"]).body["tries"] == 2


def test_a_late_answer_is_recorded_after_a_takeover(caller: Caller, server: Misbehaving) -> None:
    first, second = HeldResponse(ok("Charging")), HeldResponse(response(500, b"{}"))
    server.set_scripts(first, second)
    members = request(server.port)
    one = ConcurrentCall(caller, members)
    assert first.reached.wait(TIMEOUT)
    other = ConcurrentCall(after_leases(caller), members)
    assert second.reached.wait(TIMEOUT)
    first.release.set()
    assert one.reply().status == 200
    assert state(caller, members) == "completed"
    second.release.set()
    assert other.reply().body == one.reply().body, (
        "a caller whose own call failed receives the recorded answer"
    )


def test_a_late_answer_turns_unknown_into_completed(caller: Caller, server: Misbehaving) -> None:
    first, second = HeldResponse(ok("Charging")), HeldResponse(response(500, b"{}"))
    server.set_scripts(first, second)
    members = request(server.port)
    one = ConcurrentCall(caller, members)
    assert first.reached.wait(TIMEOUT)
    other = ConcurrentCall(after_leases(caller), members)
    assert second.reached.wait(TIMEOUT)
    second.release.set()
    assert (other.reply().status, other.reply().problem) == (504, "outcome-unknown")
    assert state(caller, members) == "unknown"
    first.release.set()
    assert one.reply().status == 200
    assert state(caller, members) == "completed"


def test_a_late_failure_does_not_settle_the_try_of_another_invocation(
    caller: Caller, server: Misbehaving
) -> None:
    first, second = HeldResponse(response(500, b"{}")), HeldResponse(ok())
    server.set_scripts(first, second)
    members = request(server.port)
    one = ConcurrentCall(caller, members)
    assert first.reached.wait(TIMEOUT)
    other = ConcurrentCall(after_leases(caller), members)
    assert second.reached.wait(TIMEOUT)
    first.release.set()
    assert (one.reply().status, one.reply().outcome) == (409, "pending")
    assert state(caller, members) == "pending"
    second.release.set()
    assert other.reply().status == 200
    assert state(caller, members) == "completed"


def test_a_repeat_in_doubt_is_never_reported_as_not_started(caller: Caller, server: Misbehaving) -> None:
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    members = request(server.port)
    assert caller.post(members).outcome == "unknown"
    offline = responds_with(body=status_body(status="Unavailable"))
    for script in (
        sends_problem(503),
        sends_problem(404),
        sends_problem(409),
        sends_problem(401),
        responds_with(200, b"nonsense"),
        offline,
    ):
        server.set_scripts(script)
        reply = caller.post(members)
        assert (reply.status, reply.outcome) == (504, "unknown")
        assert "Retry-After" not in reply.headers
    server.close()
    reply = caller.post(members)
    assert (reply.status, reply.outcome) == (504, "unknown")


def test_a_repeat_calls_the_server_that_received_the_first_request(
    caller: Caller, server: Misbehaving
) -> None:
    """For a request that names no server, the deployment's default may have changed in between."""
    without = request_without_server()
    other = Misbehaving(responds_with())
    server.set_scripts(sends(b"HTTP/1.1 nonsense\r\n\r\n"))
    try:
        set_default_server(caller, server)
        assert caller.post(without).outcome == "unknown"
        set_default_server(caller, other)
        server.set_scripts(responds_with())
        assert caller.post(without).status == 200
        assert (len(server.starts), len(other.starts)) == (4, 0)
    finally:
        other.close()


def set_default_server(caller: Caller, server: Misbehaving) -> None:
    from dataclasses import replace

    caller.service = replace(caller.service, default_server=f"127.0.0.1:{server.port}")


def request_without_server() -> dict[str, Any]:
    return {name: value for name, value in request(0).items() if not name.startswith("server")}


def leave_unknown(caller: Caller, server: Misbehaving) -> dict[str, Any]:
    """Return a request that names no server, whose outcome at `server` is unknown."""
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    without = request_without_server()
    set_default_server(caller, server)
    assert caller.post(without).outcome == "unknown"
    return without


def test_a_stored_server_that_is_no_longer_allowed_is_not_called(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    without = leave_unknown(caller, server)
    received = len(server.requests)
    other = Misbehaving(responds_with())
    try:
        entry = {**LOOPBACK, "ports": [other.port]}
        with calling(table, entry, DEFAULT_LINK_SERVER=f"127.0.0.1:{other.port}") as later:
            reply = later.post(without)
        assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
        assert (len(server.requests), len(other.requests)) == (received, 0)
    finally:
        other.close()


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"dialect": "citrineos"},
        {"basePath": "/other"},
        {"serverName": "other.internal"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_stored_server_whose_entry_has_changed_is_not_called(
    change: dict[str, Any], caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    """The request names no server, and the charger has moved to another one: the service checks that one first."""
    without = leave_unknown(caller, server)
    received = len(server.requests)
    server.set_scripts(responds_with())
    with closing(Misbehaving(responds_with())) as other:
        entries = [{**LOOPBACK, "ports": [server.port], **change}, {**LOOPBACK, "ports": [other.port]}]
        with calling(table, *entries) as later:
            assert later.post(request(other.port)).status == 200
            reply = later.post(without)
        assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
        assert (len(server.requests), len(other.starts)) == (received, 1)
    assert state(caller, without) == "unknown"


def test_an_attempt_in_doubt_whose_named_server_is_no_longer_allowed_stays_unknown(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    members = request(server.port)
    caller.post(members)
    before = caller.get(members["id"]).body
    with calling(table, {**LOOPBACK, "ports": [1]}) as later:
        reply = later.post(members)
    assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
    assert caller.get(members["id"]).body == before


def test_an_item_deleted_in_flight_leaves_the_outcome_unknown(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    held = HeldResponse(ok())
    server.set_scripts(held)
    members = request(server.port)
    call = ConcurrentCall(caller, members)
    assert held.reached.wait(TIMEOUT)
    table.clear()
    held.release.set()
    reply = call.reply()
    assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
    assert table.items() == []


@pytest.mark.parametrize(
    ("repeatable", "status", "starts"),
    [(["native"], 200, 2), ([], 504, 1)],
    ids=["repeatable", "not repeatable"],
)
def test_after_a_killed_invocation_only_a_repeatable_dialect_is_called_again(
    repeatable: list[str],
    status: int,
    starts: int,
    caller: Caller,
    server: Misbehaving,
    table: TableServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The invocation is killed between the call and settling: its settlement never reaches the table."""
    monkeypatch.setattr("charger_connect.flow._SETTLE_RESERVE", 0.5)
    members = request(server.port)
    table.on_request = lambda *_: Fault(apply=False, drop=True) if server.starts else None
    assert caller.post(members, left=5.0).outcome == "unknown"
    table.on_request = lambda *_: None
    assert state(caller, members) == "pending"
    reply = caller.at(repeatable=repeatable).post(members)
    assert (reply.status, reply.outcome) == (409, "pending")
    reply = caller.at(60, repeatable).post(members)
    assert (reply.status, len(server.starts)) == (status, starts)
    if status == 504:
        assert "Retry-After" not in reply.headers
        assert reply.body["instance"].endswith(members["id"])

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


PATIENCE = 20  # seconds


@pytest.fixture
def caller(table: TableServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """These tests do not depend on time: the long timeout avoids repeated writes on a busy machine."""
    monkeypatch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 29.0)
    monkeypatch.setattr("common.aws.client._FIRST_TIMEOUT", 29.0)
    with calling(table, LINK_TIMEOUT=f"{PATIENCE}") as caller:
        yield caller


def state(caller: Caller, members: dict[str, Any]) -> str:
    return str(caller.get(members["id"]).body["state"])


def outlived(caller: Caller) -> Caller:
    """Return the caller at a time when every lease has ended."""
    return caller.at(60)


class Held:
    """A script that reads a request and responds when the test releases it."""

    def __init__(self, *then: bytes) -> None:
        self._then = list(then)
        self.reached, self.release = Event(), Event()

    def __call__(self, peer: Peer) -> None:
        peer.read()
        self.reached.set()
        self.release.wait(PATIENCE)
        peer.send(self._then.pop(0))


class Beside(Thread):
    """A call in a thread of its own."""

    def __init__(self, caller: Caller, members: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._arguments = (caller, members)
        self._heard: list[CallerResponse] = []
        self.start()

    def run(self) -> None:
        caller, members = self._arguments
        self._heard.append(caller.post(members))

    def heard(self) -> CallerResponse:
        self.join(2 * PATIENCE)
        return self._heard[0]


def ok(status: str = "Accepted") -> bytes:
    return response(200, status_body(status=status), "Content-Type: application/json")


def test_of_fifty_callers_at_once_one_starts(caller: Caller, server: Misbehaving) -> None:
    held = Held(ok())
    server.plays(held, responds_with(body=status_body(status="Rejected")))
    members = request(server.port)
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(caller.post, members) for _ in range(50)]
        assert held.reached.wait(PATIENCE)
        early = [call.result() for call in calls if call.done()]
        held.release.set()
        heard = [call.result() for call in calls]
    assert len(server.starts) == 1
    statuses = Counter(one.status for one in heard)
    assert statuses[200] + statuses[409] == 50
    assert statuses[200] >= 1
    assert {one.body["status"] for one in heard if one.status == 200} == {"Accepted"}
    for one in heard:
        if one.status == 409:
            assert (one.problem, one.outcome) == ("attempt-in-progress", "pending")
            assert int(one.headers["Retry-After"]) >= 1
    assert all(one.status == 409 for one in early), "nobody hears an answer before the charger gave it"


def test_a_repeat_receives_the_same_reply_and_starts_nothing(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    members = request(server.port)
    first = caller.post(members)
    assert table.operations == {"UpdateItem": 2}
    table.operations.clear()
    again = [caller.post(members), outlived(caller).post(members)]
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
    heard = caller.post({**members, **changes})
    assert (heard.status, heard.problem, heard.outcome) == (422, "id-reused", None)
    assert len(server.asked) == 1


def test_the_same_id_of_another_caller_is_rejected_without_any_detail_of_the_attempt(
    caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port)
    caller.post(members, caller="alice")
    heard = caller.post(members, caller="mallory")
    assert (heard.status, heard.problem) == (422, "id-reused")
    assert "Accepted" not in str(heard.body)
    assert caller.post(members, connector="2").status == 422


def test_another_spelling_of_the_address_is_the_same_request(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    caller.post(members)
    heard = caller.post({**members, "serverIpAddress": "::ffff:127.0.0.1"})
    assert heard.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("fault", [LOST_RESPONSE, Fault(error="InternalServerError")], ids=["dropped", "500"])
@pytest.mark.parametrize("lost", [1, 2], ids=["at claim", "at settle"])
def test_a_lost_response_of_the_table_has_no_effect(
    lost: int, fault: Fault, caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    # The claim's retry is a write of its own: the settle is the second where nothing was lost before.
    table.on_request = lambda *_: fault if table.operations["UpdateItem"] == lost else None
    members = request(server.port)
    heard = caller.post(members)
    assert (heard.status, heard.body["status"]) == (200, "Accepted")
    assert len(server.starts) == 1
    assert state(caller, members) == "completed"
    assert table.operations["UpdateItem"] == 3


def test_a_takeover_joins_the_call_of_an_invocation_that_still_runs(
    caller: Caller, server: Misbehaving
) -> None:
    """Its lease has ended, but it still runs: both call the server, which knows the id; the first stored answer is kept."""
    first, second = Held(ok("Charging")), Held(ok("Charging"))
    server.plays(first, second)
    members = request(server.port)
    one = Beside(caller, members)
    assert first.reached.wait(PATIENCE)
    other = Beside(outlived(caller), members)
    assert second.reached.wait(PATIENCE)
    second.release.set()
    assert other.heard().status == 200
    assert state(caller, members) == "completed"
    first.release.set()
    assert one.heard().body == other.heard().body
    assert len({asked.path for asked in server.starts}) == 1
    assert caller.get(members["id"]).body["tries"] == 2


def test_a_late_answer_is_recorded_after_a_takeover(caller: Caller, server: Misbehaving) -> None:
    first, second = Held(ok("Charging")), Held(response(500, b"{}"))
    server.plays(first, second)
    members = request(server.port)
    one = Beside(caller, members)
    assert first.reached.wait(PATIENCE)
    other = Beside(outlived(caller), members)
    assert second.reached.wait(PATIENCE)
    first.release.set()
    assert one.heard().status == 200
    assert state(caller, members) == "completed"
    second.release.set()
    assert other.heard().body == one.heard().body, "who heard nothing useful is told what is known"


def test_a_late_answer_turns_unknown_into_completed(caller: Caller, server: Misbehaving) -> None:
    first, second = Held(ok("Charging")), Held(response(500, b"{}"))
    server.plays(first, second)
    members = request(server.port)
    one = Beside(caller, members)
    assert first.reached.wait(PATIENCE)
    other = Beside(outlived(caller), members)
    assert second.reached.wait(PATIENCE)
    second.release.set()
    assert (other.heard().status, other.heard().problem) == (504, "outcome-unknown")
    assert state(caller, members) == "unknown"
    first.release.set()
    assert one.heard().status == 200
    assert state(caller, members) == "completed"


def test_a_late_failure_does_not_settle_the_try_of_another_invocation(
    caller: Caller, server: Misbehaving
) -> None:
    first, second = Held(response(500, b"{}")), Held(ok())
    server.plays(first, second)
    members = request(server.port)
    one = Beside(caller, members)
    assert first.reached.wait(PATIENCE)
    other = Beside(outlived(caller), members)
    assert second.reached.wait(PATIENCE)
    first.release.set()
    assert (one.heard().status, one.heard().outcome) == (409, "pending")
    assert state(caller, members) == "pending"
    second.release.set()
    assert other.heard().status == 200
    assert state(caller, members) == "completed"


def test_a_repeat_in_doubt_is_never_reported_as_not_started(caller: Caller, server: Misbehaving) -> None:
    server.plays(responds_with(500, b"{}", "text/plain"))
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
        server.plays(script)
        heard = caller.post(members)
        assert (heard.status, heard.outcome) == (504, "unknown")
        assert "Retry-After" not in heard.headers
    server.close()
    heard = caller.post(members)
    assert (heard.status, heard.outcome) == (504, "unknown")


def test_a_repeat_calls_the_server_that_received_the_first_request(
    caller: Caller, server: Misbehaving
) -> None:
    """For a request without a server, the deployment's default may have changed in between."""
    without = naming_no_server()
    other = Misbehaving(responds_with())
    server.plays(sends(b"HTTP/1.1 nonsense\r\n\r\n"))
    try:
        with_default(caller, server)
        assert caller.post(without).outcome == "unknown"
        with_default(caller, other)
        server.plays(responds_with())
        assert caller.post(without).status == 200
        assert (len(server.starts), len(other.starts)) == (4, 0)
    finally:
        other.close()


def with_default(caller: Caller, server: Misbehaving) -> None:
    from dataclasses import replace

    caller.service = replace(caller.service, default_server=f"127.0.0.1:{server.port}")


def naming_no_server() -> dict[str, Any]:
    return {name: value for name, value in request(0).items() if not name.startswith("server")}


def left_unknown(caller: Caller, server: Misbehaving) -> dict[str, Any]:
    """Return a request that names no server, whose outcome at `server` is unknown."""
    server.plays(responds_with(500, b"{}", "text/plain"))
    without = naming_no_server()
    with_default(caller, server)
    assert caller.post(without).outcome == "unknown"
    return without


def test_a_stored_server_that_is_no_longer_allowed_is_not_called(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    without = left_unknown(caller, server)
    asked = len(server.asked)
    other = Misbehaving(responds_with())
    try:
        entry = {**LOOPBACK, "ports": [other.port]}
        with calling(table, entry, DEFAULT_LINK_SERVER=f"127.0.0.1:{other.port}") as later:
            heard = later.post(without)
        assert (heard.status, heard.problem, heard.outcome) == (504, "outcome-unknown", "unknown")
        assert (len(server.asked), len(other.asked)) == (asked, 0)
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
    """The request names none, and the charger has moved to another server: that one is checked first, not the stored one."""
    without = left_unknown(caller, server)
    asked = len(server.asked)
    server.plays(responds_with())
    with closing(Misbehaving(responds_with())) as other:
        entries = [{**LOOPBACK, "ports": [server.port], **change}, {**LOOPBACK, "ports": [other.port]}]
        with calling(table, *entries) as later:
            assert later.post(request(other.port)).status == 200
            heard = later.post(without)
        assert (heard.status, heard.problem, heard.outcome) == (504, "outcome-unknown", "unknown")
        assert (len(server.asked), len(other.starts)) == (asked, 1)
    assert state(caller, without) == "unknown"


def test_an_attempt_in_doubt_whose_named_server_is_no_longer_allowed_stays_unknown(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    server.plays(responds_with(500, b"{}", "text/plain"))
    members = request(server.port)
    caller.post(members)
    before = caller.get(members["id"]).body
    with calling(table, {**LOOPBACK, "ports": [1]}) as later:
        heard = later.post(members)
    assert (heard.status, heard.problem, heard.outcome) == (504, "outcome-unknown", "unknown")
    assert caller.get(members["id"]).body == before


def test_an_item_deleted_in_flight_leaves_the_outcome_unknown(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    held = Held(ok())
    server.plays(held)
    members = request(server.port)
    call = Beside(caller, members)
    assert held.reached.wait(PATIENCE)
    table.clear()
    held.release.set()
    heard = call.heard()
    assert (heard.status, heard.problem, heard.outcome) == (504, "outcome-unknown", "unknown")
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
    heard = caller.at(repeatable=repeatable).post(members)
    assert (heard.status, heard.outcome) == (409, "pending")
    heard = caller.at(60, repeatable).post(members)
    assert (heard.status, len(server.starts)) == (status, starts)
    if status == 504:
        assert "Retry-After" not in heard.headers
        assert heard.body["instance"].endswith(members["id"])

"""What a sweep does with what is due: leftovers, servers that fail, its bounds, and items that it cannot read."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import resolve.sweep
from common.journal import Settlement, State
from common.journal.unfinished import NOT_DUE, Entry
from local.table import Fault
from resolve.observe import Counters
from tests.integration.calling import LOOPBACK
from tests.integration.misbehaving import Misbehaving, hangs, responds_with
from tests.integration.resolve.conftest import FIRST, SECOND, SENT, id_of, native_record, soon
from tests.unit.journal.transitions import ID

if TYPE_CHECKING:
    from tests.integration.resolve.conftest import Scene

OTHER = id_of(2)
EMPTY = responds_with(200, b"[]")


def entries_at_two_servers(server: Misbehaving, scene: Scene) -> list[dict[str, Any]]:
    steve = LOOPBACK | {"dialect": "steve"}
    return [steve | {"ports": [scene.port]}, steve | {"ports": [server.port], "basePath": "/x"}]


def test_a_pending_attempt_whose_lease_is_over_becomes_unknown_and_is_looked_for(scene: Scene) -> None:
    scene.claim()
    scene.begins(SENT + 5)
    assert scene.sweep(SENT + 10).result["expired_pending"] == 0
    assert scene.state() is State.PENDING
    swept = scene.sweep(FIRST)
    found = scene.get()
    assert (found.state, len(swept.log("expired"))) == (State.UNKNOWN, 1)
    assert found.problem
    assert found.problem["type"] == "outcome-unknown"
    scene.sweep(FIRST + 60)
    scene.sweep(FIRST + 120)
    assert scene.state() is State.COMPLETED


def test_a_status_request_whose_invocation_died_has_failed(scene: Scene) -> None:
    scene.claim(token=None, digest=None)
    scene.sweep(FIRST)
    assert (scene.state(), scene.listed()) == (State.FAILED, {})


def test_an_entry_of_an_attempt_that_an_older_version_took_over_waits_for_the_new_lease(scene: Scene) -> None:
    scene.claim()
    scene.write(lease={"N": str(FIRST + 25)})
    scene.sweep(FIRST)
    assert (scene.state(), scene.listed()) == (State.PENDING, {ID: FIRST + 25})


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_an_entry_that_a_finished_attempt_left_behind_is_removed(scene: Scene, state: str) -> None:
    scene.unknown()
    scene.write(state={"S": state})
    scene.sweep(FIRST)
    assert (scene.state(), scene.listed()) == (State(state), {})


def test_an_entry_that_is_older_than_its_item_changes_nothing(scene: Scene) -> None:
    scene.unknown()
    scene.journal.settle(scene.claim(OTHER), Settlement(State.FAILED), soon())
    before = scene.table.items()
    scene.now = SENT - 5  # the items are due later
    entries = [Entry(id_, SENT - 60, "pending", "") for id_ in (ID, OTHER, id_of(3))]
    resolve.sweep.sweep(entries, scene.service, Counters(), soon())
    assert scene.table.items() == before


@pytest.mark.parametrize("dialect", ["ocpp-core", "ocpp-cs", "citrineos"])
def test_a_server_without_records_is_never_called(scene: Scene, server: Misbehaving, dialect: str) -> None:
    scene.use(LOOPBACK | {"dialect": dialect})
    scene.unknown(port=server.port)
    swept = scene.sweep(FIRST)
    assert (server.requests, scene.listed()) == ([], {ID: NOT_DUE})
    assert (swept.result["unknown"], scene.sweep(SECOND).result["unknown"]) == (1, 1)


def test_a_dialect_of_another_version_is_listed_and_counted(scene: Scene) -> None:
    scene.unknown()
    scene.write(dialect={"S": "of tomorrow"})
    swept = scene.sweep(FIRST)
    assert (scene.listed(), swept.result["unknown"], swept.surprises) == ({ID: NOT_DUE}, 1, {})


def test_an_item_that_cannot_be_read_does_not_end_the_sweep(scene: Scene) -> None:
    scene.unknown(OTHER)
    scene.unknown()
    scene.write(OTHER, state={"S": "of tomorrow"}, dueAt={"N": str(SENT)})
    swept = scene.sweep(FIRST)
    assert swept.surprises == {"Crashes": 1}
    assert [line["id"] for line in swept.log("looked")] == [ID]


def test_a_server_that_fails_is_called_once_and_nothing_is_concluded(
    scene: Scene, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.sweep, "_LOOK_TIMEOUT", 0.3)
    server.set_scripts(hangs)
    scene.use(*entries_at_two_servers(server, scene))
    for number in range(3):
        scene.unknown(id_of(number), port=server.port)
    scene.unknown()
    swept = scene.sweep(FIRST)
    assert len(server.requests) == 1
    assert len(swept.log("records not read")) == 1
    assert [line["id"] for line in swept.log("looked")] == [ID], "the other server is called"
    for number in range(3):
        attempt = scene.get(id_of(number))
        assert (attempt.state, attempt.lookedAt, attempt.nothingFoundUntil) == (State.UNKNOWN, None, None)
        assert attempt.dueAt == FIRST + 60
    server.set_scripts(EMPTY)
    assert len(scene.sweep(SECOND).log("looked")) == 4


def test_one_server_is_searched_ten_times_in_a_sweep_and_the_rest_later(scene: Scene) -> None:
    ids = [id_of(number) for number in range(25)]
    for number, id_ in enumerate(ids):
        scene.now = SENT + number / 100
        scene.unknown(id_)
    looked = [[line["id"] for line in scene.sweep(FIRST + 60 * number).log("looked")] for number in range(2)]
    assert looked[0] == ids[:10]
    assert sorted(looked[1]) == ids[10:20], "each in its turn"
    assert {scene.get(id_).dueAt for id_ in ids[20:]} == {FIRST + 120}


def test_a_server_that_linkservers_describes_differently_today_is_not_called(
    scene: Scene, server: Misbehaving
) -> None:
    steve = LOOPBACK | {"dialect": "steve"}
    scene.use(steve)
    scene.unknown(port=server.port)
    server.set_scripts(EMPTY)
    others: list[list[dict[str, Any]]] = [
        [],
        [steve | {"basePath": "/other"}],
        [steve | {"tenant": 2}],
        [LOOPBACK],
    ]
    now = FIRST
    for entries in others:
        scene.use(*entries)
        swept = scene.sweep(now)
        assert (len(swept.log("server not called")), server.requests) == (1, [])
        now = scene.listed()[ID]
    scene.use(steve | {"enabled": False})
    scene.sweep(now)
    assert len(server.requests) == 1, "pausing starts does not pause finds"


def test_a_table_that_fails_ends_the_sweep_and_the_next_one_goes_on(
    native: Scene, server: Misbehaving
) -> None:
    server.set_scripts(native_record())
    native.unknown(OTHER)
    denied = Fault(apply=False, error="AccessDeniedException")
    native.table.on_request = lambda operation, _: denied if operation == "UpdateItem" else None
    assert native.sweep(FIRST).surprises == {"JournalFailures": 1}
    native.table.on_request = lambda *_: None
    assert native.state() is State.UNKNOWN
    native.sweep(FIRST + 1)
    assert native.state() is State.COMPLETED


def test_a_sweep_without_time_left_reports_the_gauges_and_starts_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.sweep, "_LAST_STEP", 100.0)
    scene.unknown()
    before = scene.table.items()
    swept = scene.sweep(FIRST)
    assert (swept.result["unknown"], scene.table.items()) == (1, before)


def test_the_records_of_four_servers_are_read_while_a_fifth_and_a_sixth_hang(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.sweep, "_LOOK_TIMEOUT", 0.3)
    servers = [Misbehaving(hangs if number < 2 else EMPTY) for number in range(6)]
    try:
        for number, server in enumerate(servers):
            scene.unknown(id_of(number), port=server.port)
        swept = scene.sweep(FIRST)
    finally:
        for server in servers:
            with closing(server):
                pass
    assert {line["id"] for line in swept.log("looked")} == {id_of(number) for number in range(2, 6)}

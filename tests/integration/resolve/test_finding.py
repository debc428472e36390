"""What a sweep records of an attempt, from the records of a simulated SteVe and of native servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from common.journal import Settlement, State
from common.journal.attempt import timestamp
from common.journal.unfinished import LOOK_FOR, NOT_DUE
from tests.integration.calling import LOOPBACK
from tests.integration.misbehaving import sends_problem
from tests.integration.resolve.conftest import FIRST, SECOND, SENT, TOKEN, id_of, native_record, soon
from tests.unit.journal.transitions import ID

if TYPE_CHECKING:
    from tests.integration.misbehaving import Misbehaving
    from tests.integration.resolve.conftest import Scene

DAY = SENT + 29 + LOOK_FOR
REFUSED = {
    "outcome": "rejected",
    "status": "Rejected",
    "connectorId": 1,
    "errorCode": "NoError",
    "info": None,
}


def test_two_sweeps_find_the_charge_of_an_unknown_attempt(scene: Scene) -> None:
    scene.unknown()
    number = scene.begins(SENT + 5)
    first = scene.sweep(FIRST)
    assert (scene.state(), first.surprises, first.log("looked")[0]["found"]) == (State.UNKNOWN, {}, "young")
    assert scene.listed() == {ID: FIRST + 10}
    second = scene.sweep(SECOND)
    found = scene.get()
    assert (found.state, second.surprises) == (State.COMPLETED, {"Found": 1})
    assert found.transaction == {"id": str(number), "startedAt": timestamp(SENT + 5), "stoppedAt": None}
    assert scene.listed() == {}
    assert scene.sweep(SECOND + 60).result["unknown"] == 0


def test_a_charge_that_has_ended_is_found(scene: Scene) -> None:
    scene.unknown()
    scene.begins(SENT + 5, stopped=SENT + 20)
    scene.sweep(FIRST)
    scene.sweep(SECOND)
    assert (scene.get().transaction or {})["stoppedAt"] == timestamp(SENT + 20)


def test_nothing_found_is_no_evidence_and_the_pauses_between_the_looks_grow(scene: Scene) -> None:
    scene.unknown()
    now, pauses = FIRST, []
    while now < NOT_DUE:
        swept = scene.sweep(now)
        assert (scene.state(), scene.get().nothingFoundUntil) == (State.UNKNOWN, timestamp(now))
        due = scene.listed()[ID]
        pauses.append(due - now)
        now = due
    assert (pauses[0], max(pauses[:-1])) == (60, 3600)
    assert pauses[:6] == sorted(pauses[:6])
    assert swept.result["unknown"] == 1, "it stays listed and counted"
    assert scene.sweep(DAY + 7200).log("looked") == []


def test_the_first_look_waits_until_the_server_has_stopped_waiting_for_the_charger(scene: Scene) -> None:
    scene.unknown()
    scene.begins(SENT + 1)
    assert scene.sweep(SENT - 1).log("looked") == []
    assert len(scene.sweep(SENT + 1).log("looked")) == 1, "what is due within 30 s is due"


@pytest.mark.parametrize(
    ("began", "kind"), [(-59, "young"), (-61, "nothing"), (628, "young"), (640, "nothing")]
)
def test_a_chargers_clock_may_be_wrong_by_a_minute(scene: Scene, began: float, kind: str) -> None:
    scene.unknown()
    scene.begins(SENT + began)
    (line,) = scene.sweep(SENT + 700).log("looked")
    assert line["found"] == kind


def test_a_charge_that_two_attempts_may_have_started_is_neither_ones(scene: Scene) -> None:
    scene.unknown()
    scene.now += 3
    scene.unknown(id_of(2), connector=None)
    scene.begins(SENT + 5)
    scene.sweep(FIRST)
    swept = scene.sweep(SECOND)
    assert [line["found"] for line in swept.log("looked")] == ["uncertain", "uncertain"]
    assert (scene.state(), scene.state(id_of(2))) == (State.UNKNOWN, State.UNKNOWN)


def test_of_two_sweeps_at_once_each_leaves_the_same_attempt(scene: Scene) -> None:
    scene.unknown()
    number = scene.begins(SENT + 5)
    scene.sweep(FIRST)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(scene.sweep, [SECOND, SECOND]))
    found = scene.get()
    assert (found.state, found.otherTransactions) == (State.COMPLETED, None)
    assert found.transaction
    assert found.transaction["id"] == str(number)
    assert scene.listed() == {}


def test_a_charge_after_an_operators_word_completes_the_attempt_and_is_reported(scene: Scene) -> None:
    scene.unknown()
    scene.resolve("not-started", SENT + 200)
    scene.begins(SENT + 300)
    scene.sweep(SENT + 380)
    swept = scene.sweep(SENT + 450)
    assert (scene.state(), swept.surprises) == (State.COMPLETED, {"Found": 1, "StartedAfterAll": 1})
    (line,) = swept.log("started after all")
    assert (line["level"], line["id"]) == ("ERROR", ID)
    assert ID in scene.listed(), "a second charge may follow"


def test_a_second_charge_under_one_id_is_recorded_beside_the_first_and_reported(scene: Scene) -> None:
    scene.unknown()
    scene.resolve("not-started", SENT + 200)
    scene.now = SENT + 210
    claimed = scene.claim()
    assert claimed.doubt
    settlement = Settlement(
        State.UNKNOWN, problem={"type": "outcome-unknown", "detail": "x"}, due=scene.now + 30
    )
    assert scene.journal.settle(claimed, settlement, soon()) is None
    first = scene.begins(SENT + 20)
    scene.sweep(SENT + 250)
    assert scene.sweep(SENT + 310).surprises == {"Found": 1, "StartedAfterAll": 1}
    second = scene.begins(SENT + 311)
    scene.sweep(SENT + 400)
    swept = scene.sweep(SENT + 600)
    assert swept.surprises == {"SecondTransactions": 1}
    assert set(scene.get().transactions) == {str(first), str(second)}


def test_a_resolved_attempt_leaves_the_index_a_day_after_its_last_sending(scene: Scene) -> None:
    scene.unknown()
    scene.resolve("not-started", SENT + 200)
    scene.sweep(DAY - 100)
    assert ID in scene.listed()
    for now in (DAY, DAY + 60):
        scene.sweep(now)
    assert scene.listed() == {}
    assert scene.state() is State.FAILED


def test_a_resolved_attempt_at_a_server_without_records_stays_a_day_too(scene: Scene) -> None:
    scene.use(LOOPBACK | {"dialect": "ocpp-core"})
    scene.unknown()
    scene.resolve("not-started", SENT + 200)
    scene.sweep(SENT + 400)
    assert scene.listed() == {ID: DAY}
    scene.sweep(DAY)
    assert scene.listed() == {}


def test_a_start_that_a_native_server_recorded_as_accepted_completes_the_attempt(
    native: Scene, server: Misbehaving
) -> None:
    server.set_scripts(native_record())
    swept = native.sweep(FIRST)
    assert (native.state(), swept.surprises) == (State.COMPLETED, {"Found": 1})
    assert native.listed() == {}


def test_a_native_servers_transaction_completes_the_attempt_at_once(
    native: Scene, server: Misbehaving
) -> None:
    began = {"id": "7", "connectorId": 1, "startedAt": timestamp(SENT + 5), "stoppedAt": None}
    server.set_scripts(native_record("started", None, began))
    native.sweep(FIRST)
    assert native.get().transaction == {"id": "7", "startedAt": timestamp(SENT + 5), "stoppedAt": None}


def test_a_start_that_a_native_server_recorded_as_rejected_completes_the_attempt(
    native: Scene, server: Misbehaving
) -> None:
    server.set_scripts(native_record(status="Rejected"))
    native.sweep(FIRST)
    found = native.get()
    assert found.answer
    assert (found.state, found.answer["outcome"]) == (State.COMPLETED, "rejected")
    assert native.listed() == {}


def test_a_refusal_that_contradicts_an_operator_is_recorded_and_reported_and_changes_nothing_else(
    native: Scene, server: Misbehaving
) -> None:
    native.resolve("not-started", SENT + 200)
    native.now = SENT + 210
    claimed = native.claim()
    unknown = Settlement(
        State.UNKNOWN, problem={"type": "outcome-unknown", "detail": "x"}, due=native.now + 30
    )
    assert native.journal.settle(claimed, unknown, soon()) is None
    native.resolve("accepted", SENT + 400)
    server.set_scripts(native_record(status="Rejected"))
    for number in range(2):
        swept = native.sweep(SENT + 500 + 100 * number)
        assert swept.surprises == ({} if number else {"Contradictions": 1})
    found = native.get()
    assert found.answer
    assert found.resolution
    assert (found.state, found.answer["outcome"]) == (State.COMPLETED, "accepted")
    assert found.resolution["refused"]["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("problem", "is_looked_for"), [("connection-unknown", True), ("no-such-resource", False)]
)
def test_a_native_server_that_does_not_know_the_id_leaves_it_unknown(
    native: Scene, server: Misbehaving, problem: str, is_looked_for: bool
) -> None:
    server.set_scripts(sends_problem(404, kind=problem))
    native.sweep(FIRST)
    assert native.state() is State.UNKNOWN
    assert (native.listed()[ID] < NOT_DUE) is is_looked_for


def test_no_log_line_has_the_token(scene: Scene) -> None:
    scene.unknown()
    scene.begins(SENT + 5)
    for now in (FIRST, SECOND):
        assert TOKEN not in str(scene.sweep(now).lines)

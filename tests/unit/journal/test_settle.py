"""What a settle writes, and what it returns if its condition fails. The integration tests cover which settlement replaces which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.journal import Attempt, Claimed, ConditionFailed, JournalUnavailable, Settlement, State
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.transitions import ANSWER, item

if TYPE_CHECKING:
    from common.journal.attempt import Item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run
MINE = Claimed(Attempt.of(item(owner="me")))
PROBLEM = {"type": "outcome-unknown", "detail": "The outcome is unknown."}
COMPLETED = Settlement(State.COMPLETED, answer=ANSWER)
FAILED = Settlement(State.FAILED, problem={"type": "server-error", "detail": "No."})
UNKNOWN = Settlement(State.UNKNOWN, problem=PROBLEM)


def test_an_answer_removes_the_problem() -> None:
    table = ScriptedTable({"Attributes": item()})
    assert table.journal().settle(MINE, COMPLETED, DEADLINE) is None
    assert "REMOVE #problem" in table.requests[0][1]["UpdateExpression"]


@pytest.mark.parametrize("settlement", [COMPLETED, FAILED, UNKNOWN], ids=lambda one: one.state)
def test_a_settle_changes_neither_the_index_nor_the_owner(settlement: Settlement) -> None:
    table = ScriptedTable({"Attributes": item()})
    table.journal().settle(MINE, settlement, DEADLINE)
    assert not {"chargerId", "createdAt", "owner", "lease", "fingerprint"} & set(table.written(0))


@pytest.mark.parametrize("settlement", [COMPLETED, FAILED, UNKNOWN], ids=lambda one: one.state)
def test_a_failed_condition_with_the_own_owner_and_outcome_is_a_success(
    settlement: Settlement,
) -> None:
    found = item(owner="me", state=settlement.state, answer=settlement.answer)
    assert ScriptedTable(ConditionFailed(found)).journal().settle(MINE, settlement, DEADLINE) is None


@pytest.mark.parametrize(
    ("settlement", "found"),
    [
        (COMPLETED, item(owner="me", state="completed", answer={**ANSWER, "status": "Rejected"})),
        (COMPLETED, item(owner="them", state="completed", answer={**ANSWER, "status": "Rejected"})),
        (FAILED, item(owner="them")),
        (UNKNOWN, item(owner="them")),
        (UNKNOWN, item(owner="me", state="completed", answer=ANSWER)),
        (UNKNOWN, item(owner="them", state="failed")),
    ],
)
def test_any_other_failed_condition_returns_the_attempt_of_the_item(
    settlement: Settlement, found: Item
) -> None:
    now = ScriptedTable(ConditionFailed(found)).journal().settle(MINE, settlement, DEADLINE)
    assert now == Attempt.of(found)


def test_a_deleted_item_cannot_be_settled() -> None:
    with pytest.raises(JournalUnavailable, match="item-deleted"):
        ScriptedTable(ConditionFailed(None)).journal().settle(MINE, COMPLETED, DEADLINE)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "item-deleted"),
        (item(createdAt="another time"), "item-replaced"),
        (item(owner="me", createdAt="another time", state="completed", answer=ANSWER), "item-replaced"),
    ],
)
def test_an_item_that_is_no_longer_the_attempt_is_one_word_for_logs(found: Item | None, reason: str) -> None:
    with pytest.raises(JournalUnavailable) as unavailable:
        ScriptedTable(ConditionFailed(found)).journal().settle(MINE, COMPLETED, DEADLINE)
    assert unavailable.value.reason == reason

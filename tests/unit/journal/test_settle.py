"""What a settle writes, and what it makes of another item than it hoped for; who may settle what stands with the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.journal import Attempt, Claimed, ConditionFailed, JournalUnavailable, Settlement, State
from common.transport import Deadline
from tests.unit.journal.script import Script
from tests.unit.journal.transitions import ANSWER, item

if TYPE_CHECKING:
    from common.journal.attempt import Item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run
MINE = Claimed(Attempt.of(item(owner="me")))
PROBLEM = {"type": "outcome-unknown", "detail": "Nobody knows."}
COMPLETED = Settlement(State.COMPLETED, answer=ANSWER)
FAILED = Settlement(State.FAILED, problem={"type": "server-error", "detail": "No."})
UNKNOWN = Settlement(State.UNKNOWN, problem=PROBLEM)


def test_an_answer_leaves_no_problem_beside_it() -> None:
    script = Script({"Attributes": item()})
    assert script.journal().settle(MINE, COMPLETED, DEADLINE) is None
    assert "REMOVE #problem" in script.asked[0][1]["UpdateExpression"]


@pytest.mark.parametrize("settlement", [COMPLETED, FAILED, UNKNOWN], ids=lambda one: one.state)
def test_a_settle_never_touches_what_the_index_holds_nor_the_owner(settlement: Settlement) -> None:
    script = Script({"Attributes": item()})
    script.journal().settle(MINE, settlement, DEADLINE)
    assert not {"chargerId", "createdAt", "owner", "lease", "fingerprint"} & set(script.written(0))


@pytest.mark.parametrize("settlement", [COMPLETED, FAILED, UNKNOWN], ids=lambda one: one.state)
def test_a_failed_condition_with_our_owner_and_outcome_means_that_it_is_settled(
    settlement: Settlement,
) -> None:
    found = item(owner="me", state=settlement.state, answer=settlement.answer)
    assert Script(ConditionFailed(found)).journal().settle(MINE, settlement, DEADLINE) is None


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
def test_otherwise_the_item_as_it_is_now_is_told(settlement: Settlement, found: Item) -> None:
    now = Script(ConditionFailed(found)).journal().settle(MINE, settlement, DEADLINE)
    assert now == Attempt.of(found)


def test_an_item_deleted_meanwhile_cannot_be_settled() -> None:
    with pytest.raises(JournalUnavailable, match="item-deleted"):
        Script(ConditionFailed(None)).journal().settle(MINE, COMPLETED, DEADLINE)

"""Which settlement replaces which state, on the embedded table: every state and owner that a settle can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, Claimed, Journal, JournalUnavailable, Settlement, State
from common.transport import Deadline
from local.table import LOST_RESPONSE, THROTTLED, Fault
from tests.unit.journal.transitions import ANSWER, ID, NOW, START, item

if TYPE_CHECKING:
    from common.journal import DynamoDB
    from local.table import TableServer

REJECTED = {**ANSWER, "outcome": "rejected", "status": "Rejected"}
PROBLEM = {"type": "outcome-unknown", "detail": "The outcome is unknown."}
ACCEPTED = Settlement(State.COMPLETED, answer=ANSWER, milliseconds={"claim": 1, "link": 2}, started=True)
DECLINED = Settlement(State.COMPLETED, answer=REJECTED)
FAILED = Settlement(State.FAILED, problem={"type": "server-error", "detail": "No."})
UNKNOWN = Settlement(State.UNKNOWN, problem=PROBLEM)
NAMES = {id(ACCEPTED): "accepted", id(DECLINED): "declined", id(FAILED): "failed", id(UNKNOWN): "unknown"}


@pytest.fixture
def journal(dynamodb: DynamoDB, table: TableServer) -> Journal:
    return Journal(dynamodb, table.name, repeatable=("native",), clock=lambda: NOW)


def soon() -> Deadline:
    return Deadline.after(5)


def claimed(journal: Journal) -> Claimed:
    found = journal.claim(START, soon())
    assert isinstance(found, Claimed)
    return found


def only(table: TableServer) -> Attempt:
    (found,) = table.items()
    return Attempt.of(found)


def change(table: TableServer, **changes: Any) -> None:
    """Change the item, as later writes of the same attempt do."""
    (found,) = table.items()
    changed = {name: value for name, value in item(**changes).items() if name in changes}
    table.call("PutItem", {"TableName": table.name, "Item": found | changed})


SETTLEMENTS = [ACCEPTED, DECLINED, FAILED, UNKNOWN]
# The state of the item -> the settlements of the first holder that replace it.
REPLACED = [
    ({"state": "pending"}, [ACCEPTED, DECLINED, FAILED, UNKNOWN]),  # held by itself
    ({"state": "pending", "owner": "them"}, [ACCEPTED, DECLINED]),  # taken over
    ({"state": "unknown"}, [ACCEPTED, DECLINED]),
    ({"state": "unknown", "owner": "them"}, [ACCEPTED, DECLINED]),
    (
        {"state": "failed", "owner": "them"},
        [ACCEPTED],
    ),  # an accepted start outweighs another try's conclusion
    ({"state": "failed"}, [ACCEPTED]),
    ({"state": "completed", "owner": "them", "answer": {**ANSWER, "status": "Occupied"}}, []),
    ({"state": "completed", "answer": {**ANSWER, "status": "Occupied"}}, []),
]


@pytest.mark.parametrize("settlement", SETTLEMENTS, ids=lambda one: NAMES[id(one)])
@pytest.mark.parametrize(
    ("found", "over"),
    REPLACED,
    ids=lambda one: "-".join(map(str, one.values()))[:24] if isinstance(one, dict) else "",
)
def test_a_settlement_replaces_only_a_less_certain_state(
    found: dict[str, Any],
    over: list[Settlement],
    settlement: Settlement,
    journal: Journal,
    table: TableServer,
) -> None:
    mine = claimed(journal)
    change(table, **{"owner": mine.attempt.owner, **found})
    before = only(table)
    now = journal.settle(mine, settlement, soon())
    after = only(table)
    same = (
        before.owner == mine.attempt.owner
        and before.state is settlement.state
        and before.answer == settlement.answer
    )
    if settlement in over:
        assert now is None
        assert (after.state, after.answer, after.problem) == (
            settlement.state,
            settlement.answer,
            settlement.problem,
        )
        assert (after.owner, after.lease, after.tries) == (before.owner, before.lease, before.tries)
    else:
        assert after == before
        assert now == (None if same else before)


def test_a_settle_is_one_write_and_stores_the_milliseconds(journal: Journal, table: TableServer) -> None:
    mine = claimed(journal)
    table.operations.clear()
    assert journal.settle(mine, ACCEPTED, soon()) is None
    assert table.operations == {"UpdateItem": 1}
    assert only(table).milliseconds == {"claim": 1, "link": 2}


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({}, True),
        ({"owner": "them"}, False),
        ({"answer": {**ANSWER, "status": "Occupied"}}, False),
    ],
)
def test_a_settle_adds_only_its_milliseconds_to_what_a_callback_recorded(
    changes: dict[str, Any], over: bool, journal: Journal, table: TableServer
) -> None:
    mine = claimed(journal)
    change(table, **{"state": "completed", "answer": ANSWER, "owner": mine.attempt.owner, **changes})
    before = only(table)
    now = journal.settle(mine, ACCEPTED, soon())
    assert now == (None if over else before)
    expected = before
    if over:  # the callback of an older version leaves the entry in the index
        expected = before._replace(milliseconds={"claim": 1, "link": 2}, shard=None, dueAt=None)
    assert only(table) == expected._replace(updatedAt=only(table).updatedAt)


@pytest.mark.parametrize("fault", [LOST_RESPONSE, Fault(error="InternalServerError")], ids=["dropped", "500"])
@pytest.mark.parametrize("settlement", SETTLEMENTS, ids=lambda one: NAMES[id(one)])
def test_a_settle_whose_response_is_lost_succeeds(
    fault: Fault, settlement: Settlement, journal: Journal, table: TableServer
) -> None:
    mine = claimed(journal)
    table.operations.clear()
    table.on_request = lambda *_: fault if table.operations["UpdateItem"] == 1 else None
    assert journal.settle(mine, settlement, soon()) is None
    assert table.operations["UpdateItem"] == 2
    assert only(table).state is settlement.state


def test_a_throttled_settle_is_retried(journal: Journal, table: TableServer) -> None:
    mine = claimed(journal)
    table.operations.clear()
    table.on_request = lambda *_: THROTTLED if table.operations["UpdateItem"] < 4 else None
    assert journal.settle(mine, ACCEPTED, soon()) is None
    assert only(table).state is State.COMPLETED


def test_a_settle_that_cannot_be_written_in_time_is_unavailable(journal: Journal, table: TableServer) -> None:
    mine = claimed(journal)
    table.on_request = lambda *_: THROTTLED
    with pytest.raises(JournalUnavailable):
        journal.settle(mine, ACCEPTED, Deadline.after(0.2))
    assert only(table).state is State.PENDING


def test_a_deleted_item_is_not_created_again(journal: Journal, table: TableServer) -> None:
    mine = claimed(journal)
    table.clear()
    for settlement in SETTLEMENTS:
        with pytest.raises(JournalUnavailable, match="item-deleted"):
            journal.settle(mine, settlement, soon())
    assert table.items() == []


def test_of_two_late_answers_the_first_written_is_kept(journal: Journal, table: TableServer) -> None:
    first = claimed(journal)
    change(table, owner=first.attempt.owner, lease=NOW - 1)
    second = claimed(journal)
    assert second.doubt
    assert journal.settle(first, ACCEPTED, soon()) is None
    now = journal.settle(second, DECLINED, soon())
    assert now is not None
    assert (now.state, now.answer) == (State.COMPLETED, ANSWER)
    assert only(table).answer == ANSWER


def test_after_a_takeover_the_first_holder_can_only_record_an_answer(
    journal: Journal, table: TableServer
) -> None:
    first = claimed(journal)
    change(table, owner=first.attempt.owner, lease=NOW - 1)
    second = claimed(journal)
    for settlement in (UNKNOWN, FAILED):
        now = journal.settle(first, settlement, soon())
        assert now is not None
        assert (now.state, now.owner) == (State.PENDING, second.attempt.owner)
    assert journal.settle(second, UNKNOWN, soon()) is None
    assert journal.settle(first, ACCEPTED, soon()) is None, "a late answer is still recorded"
    assert (only(table).id, only(table).state, only(table).problem) == (ID, State.COMPLETED, None)

"""A problem that a callback notes in a pending attempt, on the embedded table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from attempts.view import to_json
from common.journal import Attempt, Claimed, Journal, Settlement, State
from common.transport import Deadline
from tests.unit.journal.transitions import ANSWER, NOW, START, item

if TYPE_CHECKING:
    from common.journal import DynamoDB
    from local.table import TableServer

PROBLEM = {"type": "outcome-unknown", "detail": "The charger answered with an error."}


@pytest.fixture
def journal(dynamodb: DynamoDB, table: TableServer) -> Journal:
    return Journal(dynamodb, table.name, clock=lambda: NOW)


def soon() -> Deadline:
    return Deadline.after(5)


def only(table: TableServer) -> Attempt:
    (found,) = table.items()
    return Attempt.of(found)


def claimed(journal: Journal) -> Claimed:
    found = journal.claim(START, soon())
    assert isinstance(found, Claimed)
    return found


def test_a_noted_problem_changes_nothing_else_and_an_answer_still_completes(
    journal: Journal, table: TableServer
) -> None:
    attempt = claimed(journal).attempt
    assert journal.note_problem(attempt, PROBLEM, soon())
    assert only(table) == attempt._replace(problem=PROBLEM)
    assert journal.complete_late(attempt, ANSWER, soon())
    assert (only(table).state, only(table).answer, only(table).problem) == (State.COMPLETED, ANSWER, None)


def test_the_waiting_invocation_can_still_settle(journal: Journal, table: TableServer) -> None:
    mine = claimed(journal)
    journal.note_problem(mine.attempt, PROBLEM, soon())
    assert journal.settle(mine, Settlement(State.UNKNOWN, problem=PROBLEM), soon()) is None
    assert (only(table).state, only(table).problem) == (State.UNKNOWN, PROBLEM)


@pytest.mark.parametrize(
    "found",
    [
        {"state": "completed", "answer": ANSWER},
        {"state": "failed"},
        {"state": "unknown", "problem": {**PROBLEM, "detail": "Another."}},
        {"tries": 2},
    ],
    ids=["completed", "failed", "unknown", "a later try"],
)
def test_a_problem_is_noted_only_in_a_pending_attempt_of_the_same_try(
    journal: Journal, table: TableServer, found: dict[str, Any]
) -> None:
    attempt = claimed(journal).attempt
    table.call("PutItem", {"TableName": table.name, "Item": item(**found)})
    before = only(table)
    assert not journal.note_problem(attempt, PROBLEM, soon())
    assert only(table) == before


def test_a_deleted_item_is_not_created_again(journal: Journal, table: TableServer) -> None:
    attempt = claimed(journal).attempt
    table.call("DeleteItem", {"TableName": table.name, "Key": {"id": {"S": attempt.id}}})
    assert not journal.note_problem(attempt, PROBLEM, soon())
    assert table.items() == []


def test_a_noted_problem_is_visible_after_the_lease(journal: Journal, table: TableServer) -> None:
    journal.note_problem(claimed(journal).attempt, PROBLEM, soon())
    attempt = only(table)
    held, expired = to_json(attempt, NOW), to_json(attempt, attempt.lease + 1)
    assert (held["state"], held["problem"]) == (State.PENDING, None)
    assert (expired["state"], expired["problem"]) == (State.UNKNOWN, PROBLEM)


def test_an_attempt_that_uses_the_id_again_is_not_changed(journal: Journal, table: TableServer) -> None:
    """The item was deleted and the id used again: same try, another attempt key."""
    old = claimed(journal).attempt
    table.call("DeleteItem", {"TableName": table.name, "Key": {"id": {"S": old.id}}})
    new = claimed(journal).attempt
    assert new.attemptKey != old.attemptKey
    assert not journal.note_problem(old, PROBLEM, soon())
    assert only(table) == new

"""A rejection that another try may contradict is recorded only by the invocation that holds the attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.journal import Claimed, Journal, Settlement, State
from common.transport import Deadline
from tests.unit.journal.transitions import ANSWER, NOW, START, item

if TYPE_CHECKING:
    from common.journal import DynamoDB
    from local.table import TableServer

REJECTED = {**ANSWER, "outcome": "rejected", "status": "Rejected", "info": "token-too-long"}
PROVISIONAL = Settlement(State.COMPLETED, answer=REJECTED, milliseconds={"link": 1}, provisional=True)


@pytest.fixture
def journal(dynamodb: DynamoDB, table: TableServer) -> Journal:
    return Journal(dynamodb, table.name, repeatable={"native"}, clock=lambda: NOW)


def claim(journal: Journal, lease: float) -> Claimed:
    found = journal.claim(START._replace(lease=lease), Deadline.after(5))
    assert isinstance(found, Claimed)
    return found


def test_it_does_not_complete_an_attempt_that_another_invocation_took_over(journal: Journal) -> None:
    frozen = claim(journal, lease=NOW - 1)
    holder = claim(journal, lease=NOW + 30)
    found = journal.settle(frozen, PROVISIONAL, Deadline.after(5))
    assert found is not None
    assert (found.state, found.answer) == (State.PENDING, None)
    accepted = Settlement(State.COMPLETED, answer=ANSWER, milliseconds={"link": 1}, started=True)
    assert journal.settle(holder, accepted, Deadline.after(5)) is None


def test_the_holder_records_it(journal: Journal) -> None:
    holder = claim(journal, lease=NOW + 30)
    assert journal.settle(holder, PROVISIONAL, Deadline.after(5)) is None
    stored = journal.get(holder.attempt.id, Deadline.after(5))
    assert stored is not None
    assert (stored.state, stored.answer) == (State.COMPLETED, REJECTED)


def test_a_late_acceptance_completes_a_try_that_failed(journal: Journal) -> None:
    """The server's response means that the start was not published, but the charger accepted it."""
    holder = claim(journal, lease=NOW + 30)
    journal.settle(
        holder, Settlement(State.FAILED, problem={"type": "server-busy", "detail": "x"}), Deadline.after(5)
    )
    assert not journal.complete_late(holder.attempt, REJECTED, Deadline.after(5))
    assert journal.complete_late(holder.attempt, ANSWER, Deadline.after(5), started=True)
    stored = journal.get(holder.attempt.id, Deadline.after(5))
    assert stored is not None
    assert (stored.state, stored.answer, stored.problem) == (State.COMPLETED, ANSWER, None)


def test_a_late_acceptance_of_an_earlier_try_changes_nothing(journal: Journal, table: TableServer) -> None:
    holder = claim(journal, lease=NOW + 30)
    table.call("PutItem", {"TableName": table.name, "Item": item(state="failed", tries=2)})
    assert not journal.complete_late(holder.attempt, ANSWER, Deadline.after(5), started=True)

"""The wait for a callback reads its own attempt only, also where the item was deleted and another attempt uses the id."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from charger_connect.callback_wait import wait_for_callback
from charger_link import LinkError, Published
from common.journal import Claimed, Journal
from common.transport import Deadline
from tests.unit.journal.transitions import NOW, START

if TYPE_CHECKING:
    from charger_connect.service import Service
    from common.journal import DynamoDB
    from local.table import TableServer


def test_a_problem_of_another_attempt_does_not_end_the_wait(dynamodb: DynamoDB, table: TableServer) -> None:
    journal = Journal(dynamodb, table.name, clock=lambda: NOW)
    waiting = journal.claim(START, Deadline.after(5))
    table.clear()
    other = journal.claim(START, Deadline.after(5))
    assert isinstance(waiting, Claimed)
    assert isinstance(other, Claimed)
    problem: dict[str, Any] = {"type": "outcome-unknown", "detail": "The charger answered with an error."}
    assert journal.note_problem(other.attempt, problem, Deadline.after(5))
    service = cast("Service", SimpleNamespace(journal=journal))
    result = wait_for_callback(waiting.attempt, Published(), Deadline.after(0.5), service)
    assert isinstance(result, LinkError)
    assert result.kind == "no-callback"

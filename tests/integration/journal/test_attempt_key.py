"""The attempt's key: which writes set it, keep it, and fail because of it after an item was deleted and its id used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, Claimed, ConditionFailed, Journal, JournalUnavailable, Settlement, State
from common.journal.attempt import timestamp
from common.transport import Deadline
from tests.unit.journal.transitions import ANSWER, ID, NOW, START, item

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.journal import DynamoDB
    from local.table import TableServer

REJECTED = {**ANSWER, "outcome": "rejected", "status": "Rejected"}
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
SETTLEMENTS = {
    "accepted": Settlement(State.COMPLETED, answer=ANSWER, started=True),
    "rejected": Settlement(State.COMPLETED, answer=REJECTED),
    "status": Settlement(State.COMPLETED),
    "failed": Settlement(State.FAILED, problem=PROBLEM),
    "unknown": Settlement(State.UNKNOWN, problem=PROBLEM),
}
settling = pytest.mark.parametrize("settlement", SETTLEMENTS.values(), ids=SETTLEMENTS)
keyed = pytest.mark.parametrize("key", ["the key", None], ids=["key", "no key"])


def soon() -> Deadline:
    return Deadline.after(5)


@pytest.fixture
def at(dynamodb: DynamoDB, table: TableServer) -> Callable[[float], Journal]:
    """Return a journal whose clock is so many seconds after `NOW`."""
    return lambda later: Journal(dynamodb, table.name, repeatable=("native",), clock=lambda: NOW + later)


@pytest.fixture
def journal(at: Callable[[float], Journal]) -> Journal:
    return at(0.0)


def claimed(journal: Journal, **changes: Any) -> Claimed:
    found = journal.claim(START._replace(**changes), soon())
    assert isinstance(found, Claimed)
    return found


def put(table: TableServer, key: str | None, **changes: Any) -> Attempt:
    """Put an item as the current version or, without a key, version 1.0 writes it."""
    more = {"attemptKey": key} if key else {}
    table.call("PutItem", {"TableName": table.name, "Item": item(**more, **changes)})
    return only(table)


def only(table: TableServer) -> Attempt:
    (found,) = table.items()
    return Attempt.of(found)


def reused(table: TableServer, at: Callable[[float], Journal]) -> Attempt:
    """Delete the item, and use its id for a pending attempt of another charger."""
    table.clear()
    return claimed(at(1.0), charger_id="CP-2", fingerprint=b"another").attempt


def test_a_new_attempt_gets_a_random_key(journal: Journal, table: TableServer) -> None:
    first = claimed(journal).attempt.attemptKey
    table.clear()
    second = claimed(journal).attempt.attemptKey
    assert first
    assert second
    assert first != second


@keyed
def test_a_takeover_keeps_the_key(key: str | None, journal: Journal, table: TableServer) -> None:
    put(table, key, state="unknown")
    assert claimed(journal).attempt.attemptKey == key
    assert only(table).attemptKey == key


def test_a_failed_attempt_that_is_opened_again_keeps_its_key(journal: Journal, table: TableServer) -> None:
    put(table, "the key", state="failed")
    assert claimed(journal).attempt.attemptKey == "the key"


def test_a_failed_attempt_of_version_1_0_that_is_opened_again_gets_a_key(
    journal: Journal, table: TableServer
) -> None:
    put(table, None, state="failed")
    assert claimed(journal).attempt.attemptKey


@keyed
@settling
def test_attempts_of_both_versions_can_be_settled(
    settlement: Settlement, key: str | None, journal: Journal, table: TableServer
) -> None:
    mine = Claimed(put(table, key))
    assert journal.settle(mine, settlement, soon()) is None
    assert only(table).state is settlement.state
    assert only(table).attemptKey == key


@keyed
@settling
@pytest.mark.parametrize("state", ["pending", "unknown", "failed", "completed"])
def test_a_late_settle_does_not_change_the_attempt_that_uses_the_id_again(
    state: str,
    settlement: Settlement,
    key: str | None,
    journal: Journal,
    table: TableServer,
    at: Callable[[float], Journal],
) -> None:
    """The second attempt's result is also not returned as the first one's."""
    mine = Claimed(put(table, key))
    reused(table, at)
    (found,) = table.items()
    found |= {"state": {"S": state}}
    if state == "completed":
        found |= {"answer": item(answer=ANSWER)["answer"]}
    table.call("PutItem", {"TableName": table.name, "Item": found})
    with pytest.raises(JournalUnavailable, match="item-replaced"):
        journal.settle(mine, settlement, soon())
    assert table.items() == [found]


@keyed
@settling
def test_a_late_settle_does_not_change_an_attempt_of_version_1_0_that_uses_the_id_again(
    settlement: Settlement, key: str | None, journal: Journal, table: TableServer
) -> None:
    mine = Claimed(put(table, key))
    table.clear()
    put(table, None, createdAt=timestamp(NOW), chargerId="CP-2", fingerprint=b"another")
    before = table.items()
    with pytest.raises(JournalUnavailable, match="item-replaced"):
        journal.settle(mine, settlement, soon())
    assert table.items() == before


@keyed
def test_a_callback_of_the_first_attempt_does_not_complete_the_second(
    key: str | None, journal: Journal, table: TableServer, at: Callable[[float], Journal]
) -> None:
    """The callback function read the item before it was deleted."""
    read = put(table, key, state="unknown")
    second = reused(table, at)
    assert second.tries == read.tries
    assert journal.complete_late(read, ANSWER, soon()) is False
    assert only(table) == second


@keyed
def test_a_callback_completes_the_attempt_that_was_read(
    key: str | None, journal: Journal, table: TableServer
) -> None:
    assert journal.complete_late(put(table, key, state="unknown"), ANSWER, soon()) is True
    assert (only(table).state, only(table).answer, only(table).attemptKey) == (State.COMPLETED, ANSWER, key)


@keyed
def test_an_update_of_a_deleted_item_creates_no_item(
    key: str | None, journal: Journal, table: TableServer
) -> None:
    """Covers settle, late completion and takeover in every combination."""
    mine = put(table, key)
    for state in State:
        for answer in (None, ANSWER):
            for started in (False, True):
                table.clear()
                with pytest.raises(JournalUnavailable, match="item-deleted"):
                    journal.settle(Claimed(mine), Settlement(state, answer=answer, started=started), soon())
                assert table.items() == []
    assert journal.complete_late(mine, ANSWER, soon()) is False
    assert table.items() == []
    for state in State:
        for owner in (mine.owner, ""):
            with pytest.raises(ConditionFailed):
                journal._take_over(mine._replace(state=state, owner=owner), START, "me", soon())
            assert table.items() == []


@keyed
def test_a_takeover_does_not_change_the_attempt_that_uses_the_id_again(
    key: str | None, journal: Journal, table: TableServer, at: Callable[[float], Journal]
) -> None:
    """The second attempt stays unchanged even with the owner and state of the first one."""
    found = put(table, key, state="unknown")
    second = reused(table, at)
    with pytest.raises(ConditionFailed):
        journal._take_over(found._replace(owner=second.owner, state=second.state), START, "me", soon())
    assert only(table) == second
    assert only(table).id == ID

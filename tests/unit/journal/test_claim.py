"""What a claim decides from an existing item, without a table."""

from __future__ import annotations

import re

import pytest

from common.journal import Claimed, ConditionFailed, JournalUnavailable, Pending, Replay
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.transitions import ANSWER, NOW, ROWS, START, Row, item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_claim_follows_the_transition_table(row: Row) -> None:
    found = item(**row.old)
    table = ScriptedTable(ConditionFailed(found), {"Attributes": found})
    claim = table.journal().claim(row.opening, DEADLINE)
    assert type(claim) is row.claim
    if isinstance(claim, Pending):
        assert claim.retry_after == row.retry_after
    if isinstance(claim, Claimed):
        assert claim.doubt is row.doubt
    assert len(table.requests) == (2 if row.claim is Claimed else 1), (
        "without a claim, nothing more is written"
    )


def test_without_an_item_a_claim_is_one_write() -> None:
    table = ScriptedTable({"Attributes": item()})
    claim = table.journal().claim(START, DEADLINE)
    assert isinstance(claim, Claimed)
    assert not claim.doubt
    ((operation, body),) = table.requests
    assert operation == "UpdateItem"
    assert body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert "if_not_exists(createdAt, :createdAt)" in body["UpdateExpression"]
    assert "ADD tries :one" in body["UpdateExpression"]


def test_claims_and_takeovers_remove_the_old_outcome() -> None:
    over = item(lease=NOW - 1)
    table = ScriptedTable(ConditionFailed(over), {"Attributes": over})
    table.journal().claim(START, DEADLINE)
    for _, body in table.requests:
        removed = re.search(r"REMOVE (.*?)( ADD|$)", body["UpdateExpression"])
        assert removed is not None
        assert {"#answer", "#problem", "#milliseconds"} <= set(removed[1].split(", "))


def test_each_claim_has_its_own_owner_and_keeps_it_for_a_takeover() -> None:
    first, second = ScriptedTable({"Attributes": item()}), ScriptedTable({"Attributes": item()})
    first.journal().claim(START, DEADLINE)
    second.journal().claim(START, DEADLINE)
    assert first.written(0)["owner"] != second.written(0)["owner"]
    over = item(lease=NOW - 1)
    takeover = ScriptedTable(ConditionFailed(over), {"Attributes": over})
    takeover.journal().claim(START, DEADLINE)
    assert takeover.written(0)["owner"] == takeover.written(1)["owner"]


def test_a_takeover_keeps_the_server_and_the_request_of_the_first_try() -> None:
    over = item(lease=NOW - 1)
    table = ScriptedTable(ConditionFailed(over), {"Attributes": over})
    table.journal().claim(START, DEADLINE)
    assert not {"server", "dialect", "connectorId", "token", "fingerprint", "chargerId"} & set(
        table.written(1)
    )


class TableThatAppliesAndFails(ScriptedTable):
    """The table applied the write, and its response was lost: `changes` are those of the item since."""

    def __init__(self, changes: dict[str, object], *before: Exception) -> None:
        super().__init__(*before)
        self._changes = changes

    def call(self, operation, body, deadline):  # type: ignore[no-untyped-def]
        if self._responses:
            return super().call(operation, body, deadline)
        self.requests.append((operation, body))
        owner = body["ExpressionAttributeValues"][":owner"]["S"]
        raise ConditionFailed(item(owner=owner, **self._changes))


def test_a_failed_condition_with_the_own_owner_is_a_successful_claim() -> None:
    claim = TableThatAppliesAndFails({}).journal().claim(START, DEADLINE)
    assert isinstance(claim, Claimed)
    assert not claim.doubt


def test_a_failed_condition_with_the_own_owner_is_a_successful_takeover_in_doubt() -> None:
    claim = (
        TableThatAppliesAndFails({}, ConditionFailed(item(lease=NOW - 1))).journal().claim(START, DEADLINE)
    )
    assert isinstance(claim, Claimed)
    assert claim.doubt


@pytest.mark.parametrize("before", [(), (ConditionFailed(item(lease=NOW - 1)),)], ids=["claim", "takeover"])
def test_a_claim_that_a_callback_has_completed_is_replayed(before: tuple[Exception, ...]) -> None:
    """A callback for an earlier try may complete the attempt between the write of the claim and its retry."""
    claim = (
        TableThatAppliesAndFails({"state": "completed", "answer": ANSWER}, *before)
        .journal()
        .claim(START, DEADLINE)
    )
    assert isinstance(claim, Replay)


def test_a_lost_takeover_returns_the_lease_of_the_new_holder() -> None:
    over, taken = item(lease=NOW - 1), item(owner="the winner", lease=NOW + 29)
    table = ScriptedTable(ConditionFailed(over), ConditionFailed(taken), ConditionFailed(taken))
    claim = table.journal().claim(START, DEADLINE)
    assert isinstance(claim, Pending)
    assert claim.retry_after == 29


def test_an_item_deleted_before_its_takeover_is_claimed_as_new() -> None:
    table = ScriptedTable(ConditionFailed(item(lease=NOW - 1)), ConditionFailed(None), {"Attributes": item()})
    claim = table.journal().claim(START, DEADLINE)
    assert isinstance(claim, Claimed)
    assert not claim.doubt


def test_a_failed_condition_without_an_item_is_an_error() -> None:
    with pytest.raises(JournalUnavailable, match="no-item"):
        ScriptedTable(*[ConditionFailed(None)] * 8).journal().claim(START, DEADLINE)


def test_a_claim_of_an_item_that_always_changes_ends() -> None:
    rounds = [ConditionFailed(item(lease=NOW - 1)) for _ in range(8)]
    claim = ScriptedTable(*rounds).journal().claim(START, DEADLINE)
    assert isinstance(claim, Pending)
    assert claim.retry_after == 1

"""What a claim decides from the item that it finds, without a table."""

from __future__ import annotations

import re

import pytest

from common.journal import Claimed, ConditionFailed, JournalUnavailable, Pending, Replay
from common.transport import Deadline
from tests.unit.journal.script import Script
from tests.unit.journal.transitions import ANSWER, NOW, ROWS, START, Row, item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_transition_table(row: Row) -> None:
    found = item(**row.old)
    script = Script(ConditionFailed(found), {"Attributes": found})
    verdict = script.journal().claim(row.opening, DEADLINE)
    assert type(verdict) is row.verdict
    if isinstance(verdict, Pending):
        assert verdict.retry_after == row.retry_after
    if isinstance(verdict, Claimed):
        assert verdict.doubt is row.doubt
    assert len(script.asked) == (2 if row.verdict is Claimed else 1), "who does not claim writes nothing more"


def test_without_an_item_it_is_claimed_in_one_write() -> None:
    script = Script({"Attributes": item()})
    verdict = script.journal().claim(START, DEADLINE)
    assert isinstance(verdict, Claimed)
    assert not verdict.doubt
    ((operation, body),) = script.asked
    assert operation == "UpdateItem"
    assert body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert "if_not_exists(createdAt, :createdAt)" in body["UpdateExpression"]
    assert "ADD tries :one" in body["UpdateExpression"]


def test_a_claim_removes_the_old_outcome_and_a_takeover_too() -> None:
    over = item(lease=NOW - 1)
    script = Script(ConditionFailed(over), {"Attributes": over})
    script.journal().claim(START, DEADLINE)
    for _, body in script.asked:
        removed = re.search(r"REMOVE (.*?)( ADD|$)", body["UpdateExpression"])
        assert removed is not None
        assert {"#answer", "#problem", "#milliseconds"} <= set(removed[1].split(", "))


def test_each_claim_has_an_owner_of_its_own_and_its_retries_the_same() -> None:
    first, second = Script({"Attributes": item()}), Script({"Attributes": item()})
    first.journal().claim(START, DEADLINE)
    second.journal().claim(START, DEADLINE)
    assert first.written(0)["owner"] != second.written(0)["owner"]
    over = item(lease=NOW - 1)
    takeover = Script(ConditionFailed(over), {"Attributes": over})
    takeover.journal().claim(START, DEADLINE)
    assert takeover.written(0)["owner"] == takeover.written(1)["owner"]


def test_a_takeover_keeps_server_dialect_connector_and_creation_of_the_first_call() -> None:
    over = item(lease=NOW - 1)
    script = Script(ConditionFailed(over), {"Attributes": over})
    script.journal().claim(START, DEADLINE)
    assert not {"server", "dialect", "connectorId", "token", "fingerprint", "chargerId"} & set(
        script.written(1)
    )


class Owned(Script):
    """The table applied the write, or another took the item, before its answer was lost: `become` is the item then."""

    def __init__(self, become: dict[str, object], *before: Exception) -> None:
        super().__init__(*before)
        self._become = become

    def call(self, operation, body, deadline):  # type: ignore[no-untyped-def]
        if self._answers:
            return super().call(operation, body, deadline)
        self.asked.append((operation, body))
        owner = body["ExpressionAttributeValues"][":owner"]["S"]
        raise ConditionFailed(item(owner=owner, **self._become))


def test_a_failed_condition_with_our_own_owner_means_that_we_had_won() -> None:
    verdict = Owned({}).journal().claim(START, DEADLINE)
    assert isinstance(verdict, Claimed)
    assert not verdict.doubt


def test_the_same_at_a_takeover_and_in_doubt() -> None:
    verdict = Owned({}, ConditionFailed(item(lease=NOW - 1))).journal().claim(START, DEADLINE)
    assert isinstance(verdict, Claimed)
    assert verdict.doubt


@pytest.mark.parametrize("before", [(), (ConditionFailed(item(lease=NOW - 1)),)], ids=["claim", "takeover"])
def test_what_was_won_and_meanwhile_completed_is_replayed_not_called(before: tuple[Exception, ...]) -> None:
    """A callback for an earlier try may complete the attempt between our write and the retry that learns of it."""
    verdict = Owned({"state": "completed", "answer": ANSWER}, *before).journal().claim(START, DEADLINE)
    assert isinstance(verdict, Replay)


def test_whoever_loses_a_takeover_hears_of_the_winner() -> None:
    over, taken = item(lease=NOW - 1), item(owner="the winner", lease=NOW + 29)
    script = Script(ConditionFailed(over), ConditionFailed(taken), ConditionFailed(taken))
    verdict = script.journal().claim(START, DEADLINE)
    assert isinstance(verdict, Pending)
    assert verdict.retry_after == 29


def test_an_item_deleted_before_its_takeover_is_claimed_as_new() -> None:
    script = Script(ConditionFailed(item(lease=NOW - 1)), ConditionFailed(None), {"Attributes": item()})
    verdict = script.journal().claim(START, DEADLINE)
    assert isinstance(verdict, Claimed)
    assert not verdict.doubt


def test_a_claim_refused_without_the_item_that_stands_there_cannot_be_judged() -> None:
    with pytest.raises(JournalUnavailable, match="no-item"):
        Script(*[ConditionFailed(None)] * 8).journal().claim(START, DEADLINE)


def test_a_claim_that_never_finds_the_item_at_rest_ends() -> None:
    rounds = [ConditionFailed(item(lease=NOW - 1)) for _ in range(8)]
    verdict = Script(*rounds).journal().claim(START, DEADLINE)
    assert isinstance(verdict, Pending)
    assert verdict.retry_after == 1

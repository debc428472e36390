"""The requests that a claim, a settlement and the check of the rights send to DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest

from common.journal import Attempt, ConditionFailed, JournalUnavailable, Opening, Pending
from common.journal.access_check import check_access
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.test_reading import batch, keys
from tests.unit.journal.transitions import ANSWER, ID, NOW, START, item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run
KEYED = Attempt.of(item(attemptKey="the key", owner="me", tries=2))
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
SMALLEST = START._replace(connector=None, token=None)


def test_an_attempt_is_kept_for_ninety_days_and_its_owner_and_key_are_random() -> None:
    table = ScriptedTable(*[{"Attributes": item()}] * 2)
    for _ in range(2):
        table.journal().claim(START, DEADLINE)
    first, second = table.written(0), table.written(1)
    assert first["expiresAt"] == {"N": str(int(NOW) + 90 * 86400)}
    assert {operation for operation, _ in table.requests} == {"UpdateItem"}
    random = [first["owner"]["S"], second["owner"]["S"]]
    random += [body["ExpressionAttributeValues"][":attemptKey"]["S"] for _, body in table.requests]
    assert len(set(random)) == 4
    assert {len(text) for text in random} == {16}, "12 random bytes"


@pytest.mark.parametrize(
    ("old", "claimed", "doubt"),
    [({"state": "unknown"}, START, True), ({"state": "unknown"}, SMALLEST, False)],
)
def test_a_takeover_is_the_second_write_and_keeps_the_owner_of_the_first(
    old: dict[str, Any], claimed: Opening, doubt: bool
) -> None:
    found = item(**old, attemptKey="the key")
    table = ScriptedTable(ConditionFailed(found), {"Attributes": item(tries=2)})
    claim = table.journal().claim(claimed, DEADLINE)
    assert getattr(claim, "doubt", None) is doubt
    assert claim.attempt == Attempt.of(item(tries=2))
    assert table.written(0)["owner"] == table.written(1)["owner"]
    assert table.requests[1][1]["ExpressionAttributeValues"][":theirs"] == found["owner"]


def test_a_read_is_strongly_consistent() -> None:
    table = ScriptedTable({"Item": item()}, {})
    assert table.journal().get(ID, DEADLINE) == Attempt.of(item())
    assert table.journal().get(ID, DEADLINE) is None
    body = {"TableName": "attempts", "Key": {"id": {"S": ID}}, "ConsistentRead": True}
    assert table.requests == [("GetItem", body)] * 2


def test_a_page_is_one_query_of_the_index_and_one_batch() -> None:
    table = ScriptedTable(keys("b", "a"), batch(item(id="a"), item(id="b")))
    table.journal().newest("CP-1", 7, None, DEADLINE)
    assert table.requests == [
        (
            "Query",
            {
                "TableName": "attempts",
                "IndexName": "byCharger",
                "KeyConditionExpression": "chargerId = :charger",
                "ExpressionAttributeValues": {":charger": {"S": "CP-1"}},
                "ScanIndexForward": False,
                "Limit": 7,
            },
        ),
        ("BatchGetItem", {"RequestItems": {"attempts": {"Keys": [{"id": {"S": "b"}}, {"id": {"S": "a"}}]}}}),
    ]


NOBODY = {"id": {"S": "nobody"}}
CHECKS = {
    "GetItem": {"TableName": "attempts", "Key": NOBODY},
    "BatchGetItem": {"RequestItems": {"attempts": {"Keys": [NOBODY]}}},
    "Query": {
        "TableName": "attempts",
        "IndexName": "byCharger",
        "KeyConditionExpression": "chargerId = :charger",
        "ExpressionAttributeValues": {":charger": {"S": "nobody"}},
        "Limit": 1,
    },
    "UpdateItem": {
        "TableName": "attempts",
        "Key": NOBODY,
        "UpdateExpression": "REMOVE answer",
        "ConditionExpression": "attribute_exists(id)",
    },
}


def test_the_check_of_the_rights_uses_an_item_that_never_exists() -> None:
    table = ScriptedTable({}, {}, {}, ConditionFailed(None))
    table.journal().check_access(list(CHECKS), DEADLINE)
    assert table.requests == list(CHECKS.items())


def test_a_missing_right_ends_the_check() -> None:
    table = ScriptedTable({}, JournalUnavailable("AccessDeniedException"))
    with pytest.raises(JournalUnavailable, match="AccessDeniedException"):
        check_access(table, "attempts", ["Query", "GetItem", "UpdateItem"], DEADLINE)  # type: ignore[arg-type]
    assert [operation for operation, _ in table.requests] == ["Query", "GetItem"]


class DeadlineOfEach(ScriptedTable):
    """Keeps the deadlines, too."""

    def __init__(self, *responses: dict[str, Any] | Exception) -> None:
        super().__init__(*responses)
        self.deadlines: list[Deadline] = []

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        self.deadlines.append(deadline)
        return super().call(operation, body, deadline)


def test_each_call_has_the_deadline_of_its_operation() -> None:
    table = DeadlineOfEach(
        ConditionFailed(item(state="unknown")), {"Attributes": item()}, {"Attributes": item()}, {}, {}, {},
        keys("a"), batch(item(id="a")), {},
    )  # fmt: skip
    journal = table.journal()
    journal.claim(START, DEADLINE)
    journal.complete_late(KEYED, ANSWER, DEADLINE)
    journal.note_problem(KEYED, PROBLEM, DEADLINE)
    journal.get(ID, DEADLINE)
    assert journal.peek(ID, b"", DEADLINE, starts=True) is None
    journal.newest("CP-1", 1, None, DEADLINE)
    journal.check_access(["GetItem"], DEADLINE)
    assert table.deadlines == [DEADLINE] * 9


@pytest.mark.parametrize("starts", [True, False])
def test_a_peek_is_of_the_request_with_this_fingerprint(starts: bool) -> None:
    table = ScriptedTable({"Item": item(state="unknown")}, {"Item": item(state="unknown")})
    found = table.journal().peek(ID, START.fingerprint, DEADLINE, starts=starts)
    assert (type(found).__name__ if found else None) == ("Unknown" if starts else None)
    other = table.journal().peek(ID, b"another", DEADLINE, starts=starts)
    assert type(other).__name__ == "Mismatch"


def test_a_late_answer_that_changes_nothing_is_reported() -> None:
    table = ScriptedTable(ConditionFailed(item()), {}, ConditionFailed(item()), {})
    journal = table.journal()
    assert [journal.complete_late(KEYED, ANSWER, DEADLINE) for _ in range(2)] == [False, True]
    assert [journal.note_problem(KEYED, PROBLEM, DEADLINE) for _ in range(2)] == [False, True]
    assert ":failed" not in table.requests[0][1]["ExpressionAttributeValues"], "by default it is no start"


def test_a_batch_without_items_or_without_the_table_is_empty() -> None:
    responses: tuple[dict[str, Any], ...] = (
        {"Responses": {}},
        {"Responses": {"attempts": []}, "UnprocessedKeys": {}},
        {"Responses": {}, "UnprocessedKeys": {"attempts": {}}},
    )
    for response in responses:
        assert ScriptedTable(keys("a"), response).journal().newest("CP-1", 1, None, DEADLINE).attempts == []


def test_keys_that_stay_unprocessed_are_the_reason() -> None:
    table = ScriptedTable(keys("a"), batch(unprocessed=("a",)))
    with pytest.raises(JournalUnavailable, match=r"^UnprocessedKeys$"):
        table.journal().newest("CP-1", 1, None, Deadline.after(0))


def test_a_claim_that_finds_no_item_is_unavailable() -> None:
    with pytest.raises(JournalUnavailable) as unavailable:
        ScriptedTable(ConditionFailed(None)).journal().claim(START, DEADLINE)
    assert (unavailable.value.reason, unavailable.value.doubt) == ("no-item", False)


@pytest.mark.parametrize(("claimed", "doubt"), [(START, True), (SMALLEST, False)])
def test_a_takeover_that_fails_has_the_reason_of_its_write(claimed: Opening, doubt: bool) -> None:
    table = ScriptedTable(ConditionFailed(item(state="unknown")), JournalUnavailable("timeout"))
    with pytest.raises(JournalUnavailable) as unavailable:
        table.journal().claim(claimed, DEADLINE)
    assert (unavailable.value.reason, unavailable.value.doubt) == ("timeout", doubt)


def test_an_attempt_that_others_keep_changing_is_in_progress_for_a_second() -> None:
    found = item(state="unknown")
    table = ScriptedTable(*[ConditionFailed(found)] * 8)
    assert table.journal().claim(START, DEADLINE) == Pending(Attempt.of(found), 1)

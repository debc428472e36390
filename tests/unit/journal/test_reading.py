"""Reading pages of attempts."""

from __future__ import annotations

from typing import Any

import pytest

from common.journal import JournalUnavailable
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.transitions import item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


def keys(*ids: str, last: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"Items": [{"id": {"S": id_}} for id_ in ids]}
    return page | ({"LastEvaluatedKey": {"id": {"S": last}}} if last else {})


def batch(*items: Any, unprocessed: tuple[str, ...] = ()) -> dict[str, Any]:
    keys = {"attempts": {"Keys": [{"id": {"S": id_}} for id_ in unprocessed]}} if unprocessed else {}
    return {"Responses": {"attempts": list(items)}, "UnprocessedKeys": keys}


def test_a_page_has_the_order_of_its_query() -> None:
    table = ScriptedTable(keys("c", "b", "a", last="a"), batch(item(id="a"), item(id="c"), item(id="b")))
    page = table.journal().newest("CP-1", 3, None, DEADLINE)
    assert [attempt.id for attempt in page.attempts] == ["c", "b", "a"]
    assert page.next == {"id": {"S": "a"}}


def test_a_query_has_a_limit_and_is_newest_first_and_starts_at_the_given_key() -> None:
    table = ScriptedTable(keys())
    table.journal().newest("CP-1", 7, {"id": {"S": "x"}}, DEADLINE)
    ((operation, body),) = table.requests
    assert (operation, body["Limit"], body["ScanIndexForward"]) == ("Query", 7, False)
    assert body["ExclusiveStartKey"] == {"id": {"S": "x"}}
    assert "FilterExpression" not in body


def test_unprocessed_keys_are_requested_again() -> None:
    table = ScriptedTable(
        keys("c", "b", "a"), batch(item(id="b"), unprocessed=("c", "a")), batch(item(id="c"), item(id="a"))
    )
    page = table.journal().newest("CP-1", 3, None, DEADLINE)
    assert [attempt.id for attempt in page.attempts] == ["c", "b", "a"]
    assert table.requests[2][1]["RequestItems"]["attempts"]["Keys"] == [
        {"id": {"S": "c"}},
        {"id": {"S": "a"}},
    ]


def test_an_attempt_that_expired_between_index_and_batch_is_left_out() -> None:
    table = ScriptedTable(keys("b", "a"), batch(item(id="a")))
    assert [attempt.id for attempt in table.journal().newest("CP-1", 3, None, DEADLINE).attempts] == ["a"]


def test_an_empty_page_needs_no_batch() -> None:
    table = ScriptedTable(keys())
    assert table.journal().newest("CP-1", 3, None, DEADLINE).attempts == []
    assert len(table.requests) == 1


def test_a_failed_read_raises() -> None:
    with pytest.raises(JournalUnavailable):
        ScriptedTable(JournalUnavailable("ThrottlingException")).journal().newest("CP-1", 3, None, DEADLINE)

"""Pages of attempts."""

from __future__ import annotations

from typing import Any

import pytest

from common.journal import JournalUnavailable
from common.transport import Deadline
from tests.unit.journal.script import Script
from tests.unit.journal.transitions import item

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


def keys(*ids: str, last: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"Items": [{"id": {"S": id_}} for id_ in ids]}
    return page | ({"LastEvaluatedKey": {"id": {"S": last}}} if last else {})


def batch(*items: Any, left: tuple[str, ...] = ()) -> dict[str, Any]:
    unprocessed = {"attempts": {"Keys": [{"id": {"S": id_}} for id_ in left]}} if left else {}
    return {"Responses": {"attempts": list(items)}, "UnprocessedKeys": unprocessed}


def test_a_page_keeps_the_order_of_its_query_whatever_the_batch_does() -> None:
    script = Script(keys("c", "b", "a", last="a"), batch(item(id="a"), item(id="c"), item(id="b")))
    page = script.journal().newest("CP-1", 3, None, DEADLINE)
    assert [attempt.id for attempt in page.attempts] == ["c", "b", "a"]
    assert page.next == {"id": {"S": "a"}}


def test_a_query_is_bounded_and_newest_first_and_goes_on_where_told() -> None:
    script = Script(keys())
    script.journal().newest("CP-1", 7, {"id": {"S": "x"}}, DEADLINE)
    ((operation, body),) = script.asked
    assert (operation, body["Limit"], body["ScanIndexForward"]) == ("Query", 7, False)
    assert body["ExclusiveStartKey"] == {"id": {"S": "x"}}
    assert "FilterExpression" not in body


def test_what_a_batch_leaves_over_is_asked_for_again() -> None:
    script = Script(
        keys("c", "b", "a"), batch(item(id="b"), left=("c", "a")), batch(item(id="c"), item(id="a"))
    )
    page = script.journal().newest("CP-1", 3, None, DEADLINE)
    assert [attempt.id for attempt in page.attempts] == ["c", "b", "a"]
    assert script.asked[2][1]["RequestItems"]["attempts"]["Keys"] == [{"id": {"S": "c"}}, {"id": {"S": "a"}}]


def test_an_attempt_that_expired_between_index_and_batch_is_left_out() -> None:
    script = Script(keys("b", "a"), batch(item(id="a")))
    assert [attempt.id for attempt in script.journal().newest("CP-1", 3, None, DEADLINE).attempts] == ["a"]


def test_an_empty_page_needs_no_batch() -> None:
    script = Script(keys())
    assert script.journal().newest("CP-1", 3, None, DEADLINE).attempts == []
    assert len(script.asked) == 1


def test_a_table_that_cannot_be_read_is_said_so() -> None:
    with pytest.raises(JournalUnavailable):
        Script(JournalUnavailable("ThrottlingException")).journal().newest("CP-1", 3, None, DEADLINE)

"""The servers that a charger's newest attempts name, and how many attempts are read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.journal import KnownServers, State
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.test_reading import DEADLINE, batch, keys
from tests.unit.journal.transitions import item

if TYPE_CHECKING:
    from common.journal import Attempt


def answered(attempt: Attempt) -> bool:
    return attempt.state is State.COMPLETED


def pages(*states: str) -> list[dict[str, Any]]:
    """Return the responses of the table for attempts in these states, newest first: ten, then the others."""
    items = [item(id=str(number), state=state, server=f"s{number}") for number, state in enumerate(states)]
    found = []
    for first, last in ((0, 10), (10, 100)):
        names = [str(number) for number in range(len(states))][first:last]
        found += [
            keys(*names, last=names[-1] if len(states) > last else None),
            *([batch(*items[first:last])] if names else []),
        ]
    return found


@pytest.mark.parametrize(
    ("states", "known"),
    [
        (["failed", "pending", "unknown", "completed"], KnownServers("s3", "s2")),
        (["completed", "unknown"], KnownServers("s0", None)),
        (["unknown", "failed", "unknown"], KnownServers(None, "s0")),
        (["failed", "pending"], KnownServers(None, None)),
        (["failed"] * 10 + ["completed"], KnownServers("s10", None)),
        (["unknown"] + ["failed"] * 98 + ["completed"], KnownServers("s99", "s0")),
        (["failed"] * 100 + ["completed"], KnownServers(None, None)),
        ([], KnownServers(None, None)),
    ],
    ids=[
        "after an unknown",
        "newest",
        "only unknown",
        "none",
        "eleventh",
        "hundredth",
        "101st",
        "no attempts",
    ],
)
def test_the_newest_hundred_attempts_are_searched(states: list[str], known: KnownServers) -> None:
    assert ScriptedTable(*pages(*states)).journal().newest_servers("CP-1", answered, DEADLINE) == known


def test_a_second_page_is_read_only_if_the_first_has_no_server_and_a_third_never() -> None:
    table = ScriptedTable(*pages(*["failed"] * 9, "completed", "completed"))
    table.journal().newest_servers("CP-1", answered, DEADLINE)
    assert [operation for operation, _ in table.requests] == ["Query", "BatchGetItem"]
    table = ScriptedTable(*pages(*["failed"] * 101))
    table.journal().newest_servers("CP-1", answered, DEADLINE)
    queries = [body for operation, body in table.requests if operation == "Query"]
    assert [body["Limit"] for body in queries] == [10, 90]
    assert queries[1]["ExclusiveStartKey"] == {"id": {"S": "9"}}


def test_an_attempt_without_a_server_is_skipped() -> None:
    without_server = item(id="b", state="completed")
    del without_server["server"]
    table = ScriptedTable(keys("b", "a"), batch(without_server, item(id="a", state="completed", server="s1")))
    assert table.journal().newest_servers("CP-1", answered, DEADLINE) == KnownServers("s1", None)

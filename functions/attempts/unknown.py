"""One page of the attempts whose outcome is unknown now, from the shards of the index `unfinished`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attempts.cursor import encode_unfinished_cursor
from common.journal import State
from common.journal.unfinished import SHARDS

if TYPE_CHECKING:
    from common.journal import Attempt, Journal
    from common.journal.attempt import Item
    from common.transport import Deadline

_MOST_QUERIES = 2 * len(SHARDS)  # of one page; most entries are unknown, so that this is rarely reached


def read_unknown(
    journal: Journal, shard: str | None, start: Item | None, limit: int, now: float, deadline: Deadline
) -> tuple[list[Attempt], str | None]:
    """Return at most `limit` unknown attempts, shard by shard, and the cursor of the next page; None after the last one.

    The page begins at the index key `start` of `shard`, by default with the first shard. It can be shorter than `limit`: the index
    also lists attempts that are in progress, and those that were completed a moment ago.
    """
    found: list[Attempt] = []
    number = SHARDS.index(shard) if shard else 0
    for _ in range(_MOST_QUERIES):
        page = journal.unfinished(SHARDS[number], start, limit - len(found), deadline)
        ids = [entry.id for entry in page.entries if entry.state != State.COMPLETED]
        attempts = journal.read_many(ids, deadline) if ids else []
        found += [attempt for attempt in attempts if attempt.known_state(now) is State.UNKNOWN]
        start = page.next
        if start is None:
            number += 1
        if number == len(SHARDS):
            return found, None
        if len(found) == limit:
            break
    return found, encode_unfinished_cursor(SHARDS[number], start)

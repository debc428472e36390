"""The index `unfinished`: the attempts that are pending or unknown, by the time at which they are looked at next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common.journal.index_keys import NOT_DUE, SHARDS, shard_of

if TYPE_CHECKING:
    from common.journal.attempt import Item
    from common.journal.dynamodb import DynamoDB
    from common.journal.journal import Journal
    from common.transport import Deadline

__all__ = [
    "LOOK_FOR",
    "NOT_DUE",
    "SHARDS",
    "Entry",
    "EntryPage",
    "next_look",
    "read",
    "read_page",
    "shard_of",
]

INDEX = "unfinished"
LOOK_FOR = 86_400.0  # seconds after the last sending in which an unknown attempt is looked for
_PAGE = 500  # entries that one query returns: about 100 KB
_SHORTEST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0  # seconds between two looks


class Entry(NamedTuple):
    """An attempt in the index; ``due_at`` is in seconds since the epoch. The index follows the table with a delay."""

    id: str
    due_at: float
    state: str
    created_at: str


class EntryPage(NamedTuple):
    """Entries of one shard, the first due first; ``next`` is the index key at which the next page starts."""

    entries: list[Entry]
    next: Item | None


def next_look(last_sending: float, now: float) -> float:
    """Return when an attempt is looked at next: the pauses double from a minute to an hour, for a day after the last sending.

    All times are in seconds since the epoch. `NOT_DUE` is returned when the day is over.
    """
    end = last_sending + LOOK_FOR
    if now >= end:
        return NOT_DUE
    pause = min(max(now - last_sending, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    return round(min(now + pause, end), 3)


def read(journal: Journal, shard: str, most: int, deadline: Deadline) -> list[Entry]:
    """Return the entries of a shard, the first due first: all pages, until there are `most` entries."""
    entries: list[Entry] = []
    start: Item | None = None
    while len(entries) < most:
        page = journal.unfinished(shard, start, min(_PAGE, most - len(entries)), deadline)
        entries += page.entries
        start = page.next
        if start is None:
            break
    return entries


def read_page(
    dynamodb: DynamoDB, table: str, shard: str, limit: int, start: Item | None, deadline: Deadline
) -> EntryPage:
    """Return at most `limit` entries of a shard, the first due first, from the index key `start` on."""
    query: dict[str, Any] = {
        "TableName": table,
        "IndexName": INDEX,
        "KeyConditionExpression": "#shard = :shard",
        "ExpressionAttributeNames": {"#shard": "shard"},  # a reserved word
        "ExpressionAttributeValues": {":shard": {"S": shard}},
        "Limit": limit,
    }
    if start:
        query["ExclusiveStartKey"] = start
    page = dynamodb.call("Query", query, deadline)
    return EntryPage([_entry(item) for item in page["Items"]], page.get("LastEvaluatedKey"))


def _entry(item: Item) -> Entry:
    return Entry(item["id"]["S"], float(item["dueAt"]["N"]), item["state"]["S"], item["createdAt"]["S"])

"""Read the index of unfinished attempts, and count what is in it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from common.journal import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.journal import DynamoDB
    from common.transport import Deadline

INDEX = "unfinished"
SHARDS = tuple(map(str, range(8)))
NOT_DUE = 253402300799  # dueAt of an attempt that nothing looks for any more: it stays listed and counted


class Entry(NamedTuple):
    """An entry of the index; times in seconds since the epoch."""

    id: str
    state: State
    due: float
    created: float


class Gauges(NamedTuple):
    """What is unfinished: two numbers of attempts, and an age in seconds, 0 if no attempt is looked for."""

    unknown: int
    oldest_looked_for: float
    expired_pending: int


def read(dynamodb: DynamoDB, table: str, shard: str, deadline: Deadline) -> list[Entry]:
    """Return all entries of a shard.

    Raises
    ------
    JournalUnavailable
    """
    query: dict[str, Any] = {
        "TableName": table,
        "IndexName": INDEX,
        "KeyConditionExpression": "#shard = :shard",
        "ExpressionAttributeNames": {"#shard": "shard"},  # a reserved word
        "ExpressionAttributeValues": {":shard": {"S": shard}},
    }
    entries: list[Entry] = []
    while True:
        page = dynamodb.call("Query", query, deadline)
        entries += [_entry(item) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return entries
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def measure(entries: Iterable[Entry], now: float) -> Gauges:
    """Return the gauges at `now`."""
    unknown = expired = 0
    oldest = now
    for entry in entries:
        if entry.state is State.UNKNOWN:
            unknown += 1
            if entry.due < NOT_DUE:
                oldest = min(oldest, entry.created)
        elif entry.state is State.PENDING and entry.due < now:
            expired += 1
    return Gauges(unknown, now - oldest, expired)


def oldest_unknown(entries: Iterable[Entry], limit: int) -> list[str]:
    """Return the ids of at most `limit` unknown attempts, the oldest first."""
    unknown = [entry for entry in entries if entry.state is State.UNKNOWN]
    return [entry.id for entry in sorted(unknown, key=lambda entry: entry.created)[:limit]]


def _entry(item: dict[str, dict[str, str]]) -> Entry:
    return Entry(
        item["id"]["S"],
        State(item["state"]["S"]),
        float(item["dueAt"]["N"]),
        datetime.fromisoformat(item["createdAt"]["S"]).timestamp(),
    )

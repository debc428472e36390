"""Read attempts: one by its id, and the newest ones of a charger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common.aws import Backoff
from common.journal.attempt import Attempt, Item, State
from common.journal.dynamodb import JournalUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from common.journal.dynamodb import DynamoDB
    from common.transport import Deadline

INDEX = "byCharger"
_FIRST_PAGE = 10  # attempts that are read first for a charger's server: the newest one nearly always names it
_MAX_SEARCHED = 100  # attempts


class Page(NamedTuple):
    """Attempts, newest first; ``next`` is the index key at which the next page starts."""

    attempts: list[Attempt]
    next: Item | None


class KnownServers(NamedTuple):
    """The servers ("address:port") of a charger's newest attempts: of the newest one in which the charger answered, and of the
    newest one whose outcome is unknown."""

    answered: str | None = None
    unknown: str | None = None


def get(dynamodb: DynamoDB, table: str, id_: str, deadline: Deadline) -> Attempt | None:
    """Return the attempt with this id, by a strongly consistent read."""
    body = {"TableName": table, "Key": {"id": {"S": id_}}, "ConsistentRead": True}
    found = dynamodb.call("GetItem", body, deadline).get("Item")
    return Attempt.of(found) if found else None


def newest(
    dynamodb: DynamoDB, table: str, charger_id: str, limit: int, start: Item | None, deadline: Deadline
) -> Page:
    """Return at most `limit` attempts of a charger, newest first: one query for keys, one batch for items."""
    query: dict[str, Any] = {
        "TableName": table,
        "IndexName": INDEX,
        "KeyConditionExpression": "chargerId = :charger",
        "ExpressionAttributeValues": {":charger": {"S": charger_id}},
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if start:
        query["ExclusiveStartKey"] = start
    page = dynamodb.call("Query", query, deadline)
    ids = [key["id"]["S"] for key in page["Items"]]
    return Page(read_many(dynamodb, table, ids, deadline), page.get("LastEvaluatedKey"))


def read_many(dynamodb: DynamoDB, table: str, ids: Sequence[str], deadline: Deadline) -> list[Attempt]:
    """Return the attempts with these ids, at most 100, in this order; without those that do not exist."""
    keys: list[Item] = [{"id": {"S": id_}} for id_ in ids]
    found = {attempt.id: attempt for attempt in _batch(dynamodb, table, keys, deadline)}
    return [found[id_] for id_ in ids if id_ in found]


def newest_servers(
    read_page: Callable[[int, Item | None], Page], answered: Callable[[Attempt], bool]
) -> KnownServers:
    """Return the servers that the charger's newest 100 attempts name.

    `read_page` reads at most so many attempts from a start key on. `answered` returns whether the charger itself answered in an
    attempt. Nothing is read beyond the newest attempt in which it did.
    """
    unknown: str | None = None
    start: Item | None = None
    for limit in (_FIRST_PAGE, _MAX_SEARCHED - _FIRST_PAGE):
        page = read_page(limit, start)
        for attempt in page.attempts:
            if attempt.server and answered(attempt):
                return KnownServers(attempt.server, unknown)
            if attempt.state is State.UNKNOWN:
                unknown = unknown or attempt.server
        start = page.next
        if start is None:
            break
    return KnownServers(None, unknown)


def _batch(dynamodb: DynamoDB, table: str, keys: list[Item], deadline: Deadline) -> list[Attempt]:
    found: list[Attempt] = []
    backoff = Backoff(deadline)
    while keys:
        response = dynamodb.call("BatchGetItem", {"RequestItems": {table: {"Keys": keys}}}, deadline)
        found += [Attempt.of(item) for item in response["Responses"].get(table, [])]
        keys = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if keys and not backoff.pause():  # the table throttles
            raise JournalUnavailable("UnprocessedKeys")
    return found

"""A conditional update of one item: update expression, condition, and the names and values of both.

Every update but the first of an item has the condition that the item still is the same attempt. So an update of a deleted item
creates no new one, and does not change another attempt that uses the id again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from common.journal.attempt import attribute

if TYPE_CHECKING:
    from common.journal.attempt import Attempt


class Condition:
    """``names`` are the attributes that the text names with a ``#``; ``values`` are those that it names with a ``:``."""

    # No NamedTuple, here and below: creating its class takes 0.2 ms of every cold start.
    def __init__(self, text: str, names: tuple[str, ...], values: dict[str, Any]) -> None:
        self.text = text
        self.names = names
        self.values = values


class Update:
    """An update of one item."""

    def __init__(
        self,
        id_: str,
        sets: dict[str, Any],
        condition: Condition,
        *,
        initial: dict[str, str] | None = None,
        removes: tuple[str, ...] = (),
        claims: bool = False,
    ) -> None:
        """``sets`` are the attributes to write, ``initial`` those to write only if the item does not have them, and ``removes``
        those to remove. ``claims``: the update counts a try, and its response has the whole item."""
        self.id = id_
        self.sets = sets
        self.condition = condition
        self.initial = initial or {}
        self.removes = removes
        self.claims = claims

    def body(self, table: str) -> dict[str, Any]:
        """Return the body of the ``UpdateItem`` request."""
        expression, names = _expression(
            tuple(self.sets), tuple(self.initial), self.removes, self.condition.names, self.claims
        )
        values = {f":{name}": value for name, value in (self.sets | self.initial).items()}
        values |= self.condition.values
        if self.claims:
            values[":one"] = 1
        return {
            "TableName": table,
            "Key": {"id": {"S": self.id}},
            "UpdateExpression": expression,
            "ConditionExpression": self.condition.text,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {name: attribute(value) for name, value in values.items()},
            "ReturnValues": "ALL_NEW" if self.claims else "NONE",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def same_attempt(attempt: Attempt, text: str, names: tuple[str, ...], values: dict[str, Any]) -> Condition:
    """Return the condition that the item exists, still is this attempt, and satisfies `text`."""
    if attempt.attemptKey is None:  # version 1.0 wrote it
        same = "attribute_not_exists(attemptKey) AND createdAt = :createdAt"
        return Condition(f"{same} AND {text}", names, {":createdAt": attempt.createdAt, **values})
    return Condition(
        f"attemptKey = :attemptKey AND {text}", names, {":attemptKey": attempt.attemptKey, **values}
    )


def same_try(
    attempt: Attempt, text: str = "", names: tuple[str, ...] = (), values: dict[str, Any] | None = None
) -> Condition:
    """Return the condition that the item exists, and still is the same try of this attempt, in the same state."""
    return same_attempt(
        attempt,
        "#state = :found AND tries = :tries" + (f" AND {text}" if text else ""),
        ("state", *names),
        {":found": attempt.state, ":tries": attempt.tries, **(values or {})},
    )


def unchanged(attempt: Attempt, *names: str) -> Condition:
    """Return the condition of `same_try`, and that these attributes are as they were when `attempt` was read."""
    before = {name: getattr(attempt, name) for name in names}
    text = " AND ".join(
        f"attribute_not_exists(#{name})" if value is None else f"#{name} = :{name}Before"
        for name, value in before.items()
    )
    values = {f":{name}Before": value for name, value in before.items() if value is not None}
    return same_try(attempt, text, names, values)


@lru_cache(maxsize=64)  # few combinations exist, and a request needs two of them
def _expression(
    sets: tuple[str, ...],
    initial: tuple[str, ...],
    removes: tuple[str, ...],
    in_condition: tuple[str, ...],
    counts: bool,
) -> tuple[str, dict[str, str]]:
    """Return the update expression, and the names that it and its condition use."""
    assigned = [f"#{name} = :{name}" for name in sets]
    assigned += [f"{name} = if_not_exists({name}, :{name})" for name in initial]
    clauses = [
        "SET " + ", ".join(assigned) if assigned else "",
        "REMOVE " + ", ".join(f"#{name}" for name in removes) if removes else "",
        "ADD tries :one" if counts else "",
    ]
    return " ".join(filter(None, clauses)), {f"#{name}": name for name in (*sets, *removes, *in_condition)}

"""The conditional updates of an item: update expression, condition, and the names and values of both.

Every update but the first has the condition that the item still is the same attempt. So an update of a deleted item creates no
new one, and does not change another attempt that uses the id again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from common.journal.attempt import State, attribute, timestamp
from common.journal.settlement import OUTCOME_FIELDS

if TYPE_CHECKING:
    from common.journal.attempt import Attempt
    from common.journal.claim import Opening
    from common.journal.settlement import Settlement


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


def open_attempt(opening: Opening, owner: str, key: str, now: float, retention: int) -> Update:
    """Return the first claim of an id: the item does not exist, or its attempt failed and has the same fingerprint.

    `key` is the attempt's if the item has none; `retention` is in seconds.
    """
    optional = {"connectorId": opening.connector, "token": opening.token, "url": opening.url}
    sets = {
        "chargerId": opening.charger_id,
        "server": opening.server,
        "dialect": opening.dialect,
        "fingerprint": opening.fingerprint,
        "expiresAt": int(now) + retention,
        **_holder(opening, owner, now),
        **{name: value for name, value in optional.items() if value is not None},
    }
    absent = tuple(name for name, value in optional.items() if value is None)
    return Update(
        opening.id,
        sets,
        Condition(
            "attribute_not_exists(id) OR (#fingerprint = :fingerprint AND #state = :failed)",
            ("fingerprint", "state"),
            {":failed": State.FAILED},
        ),
        initial={"createdAt": timestamp(now), "attemptKey": key},
        removes=(*OUTCOME_FIELDS, *absent),
        claims=True,
    )


def take_over(old: Attempt, opening: Opening, owner: str, now: float) -> Update:
    """Return the claim of an attempt that another invocation held: the item is unchanged since `old` was read."""
    return Update(
        old.id,
        _holder(opening, owner, now),
        _same_attempt(
            old,
            "#owner = :theirs AND #state = :found",
            ("owner", "state"),
            {":theirs": old.owner, ":found": old.state},
        ),
        initial={"createdAt": old.createdAt},
        removes=OUTCOME_FIELDS,
        claims=True,
    )


def settle(mine: Attempt, settlement: Settlement, now: float) -> Update:
    """Return the write of a claim's result.

    ``completed`` replaces ``pending`` and ``unknown`` under any owner, unless it is provisional; any other state requires that the
    claim is still held.
    """
    sets: dict[str, Any] = {"state": settlement.state, "updatedAt": timestamp(now)}
    sets |= {name: value for name in OUTCOME_FIELDS if (value := getattr(settlement, name)) is not None}
    return Update(
        mine.id,
        sets,
        _completes(mine, settlement) if settlement.state is State.COMPLETED else _still_held(mine),
        removes=("problem",) if "problem" not in sets else (),
    )


def complete_late(attempt: Attempt, answer: dict[str, Any], now: float, *, started: bool) -> Update:
    """Return the write of an answer that arrived after its request: the try is pending or unknown, or failed if it started."""
    states = {f":{state}": state for state in _completable(started)}
    return Update(
        attempt.id,
        {"state": State.COMPLETED, "answer": answer, "updatedAt": timestamp(now)},
        _same_attempt(
            attempt,
            f"#state IN ({', '.join(states)}) AND tries = :tries",
            ("state",),
            {**states, ":tries": attempt.tries},
        ),
        removes=("problem",),
    )


def note_problem(attempt: Attempt, problem: dict[str, Any], now: float) -> Update:
    """Return the write of a problem that ends the wait for an answer: the try is pending, and stays it."""
    return Update(
        attempt.id,
        {"problem": problem, "updatedAt": timestamp(now)},
        _same_attempt(
            attempt,
            "#state = :pending AND tries = :tries",
            ("state",),
            {":pending": State.PENDING, ":tries": attempt.tries},
        ),
    )


def _completable(started: bool) -> list[State]:
    """Return the states that a result replaces: an accepted start outweighs the conclusion that nothing was started."""
    return [State.PENDING, State.UNKNOWN, *([State.FAILED] if started else [])]


def _completes(mine: Attempt, settlement: Settlement) -> Condition:
    values: dict[str, Any] = {
        f":over{number}": state for number, state in enumerate(_completable(settlement.started))
    }
    text = f"#state IN ({', '.join(values)})"
    if settlement.provisional:
        # Another invocation may have taken the attempt over, and its start may be accepted.
        return _same_attempt(
            mine, f"{text} AND #owner = :mine", ("owner", "state"), values | {":mine": mine.owner}
        )
    if settlement.answer is None or settlement.milliseconds is None:
        return _same_attempt(mine, f"({text})", ("state",), values)
    # A callback may have recorded the same answer; it does not record the duration of the steps.
    same_answer = "#owner = :mine AND #state = :state AND #answer = :answer"
    return _same_attempt(
        mine,
        f"({text} OR ({same_answer} AND attribute_not_exists(#milliseconds)))",
        ("owner", "state", "answer", "milliseconds"),
        values | {":mine": mine.owner},
    )


def _still_held(mine: Attempt) -> Condition:
    return _same_attempt(
        mine,
        "(#state = :pending AND #owner = :mine)",
        ("state", "owner"),
        {":pending": State.PENDING, ":mine": mine.owner},
    )


def _same_attempt(attempt: Attempt, text: str, names: tuple[str, ...], values: dict[str, Any]) -> Condition:
    """Return the condition that the item exists, still is this attempt, and satisfies `text`."""
    if attempt.attemptKey is None:  # version 1.0 wrote it
        same = "attribute_not_exists(attemptKey) AND createdAt = :createdAt"
        return Condition(f"{same} AND {text}", names, {":createdAt": attempt.createdAt, **values})
    return Condition(
        f"attemptKey = :attemptKey AND {text}", names, {":attemptKey": attempt.attemptKey, **values}
    )


def _holder(opening: Opening, owner: str, now: float) -> dict[str, Any]:
    """Return the attributes of the invocation that holds the attempt from now on, until its lease ends."""
    holder = {
        "state": State.PENDING,
        "owner": owner,
        "lease": round(opening.lease, 3),
        "updatedAt": timestamp(now),
        "caller": opening.caller,
    }
    return holder | ({"traceId": opening.trace_id} if opening.trace_id else {})


@lru_cache(maxsize=64)  # few combinations exist, and a request needs two of them
def _expression(
    sets: tuple[str, ...],
    initial: tuple[str, ...],
    removes: tuple[str, ...],
    in_condition: tuple[str, ...],
    counts: bool,
) -> tuple[str, dict[str, str]]:
    """Return the update expression, and the names that it and its condition use."""
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sets)
    for name in initial:
        expression += f", {name} = if_not_exists({name}, :{name})"
    if removes:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removes)
    if counts:
        expression += " ADD tries :one"
    return expression, {f"#{name}": name for name in (*sets, *removes, *in_condition)}

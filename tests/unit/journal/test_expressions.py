"""Every expression that a write can build, over each combination of its optional fields, against DynamoDB's rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

import json
import re
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from common.journal import (
    Attempt,
    Claimed,
    ConditionFailed,
    Opening,
    Settlement,
    State,
    looks,
    resolutions,
    stops,
)
from common.journal.attempt import timestamp, transaction_map
from common.journal.index_keys import NOT_DUE
from common.remote_start.transaction import Transaction
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.transitions import ANSWER, NOT_STARTED, NOW, START, STARTED, item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.journal.update import Update

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run
LONGEST_EXPRESSION = 4096  # bytes
LONGEST_PLACEHOLDER = 255  # bytes, with # or :
MOST_OPERATORS = 300
MOST_OPERANDS_OF_IN = 100
LARGEST_ITEM = 400 * 1024
KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
FUNCTIONS = {"if_not_exists", "list_append", "attribute_exists", "attribute_not_exists", "attribute_type"}
FUNCTIONS |= {"begins_with", "contains", "size"}

KEYS = ("the attempt's key", None)
OPTIONAL_OPENING = {"connector", "token", *Opening._field_defaults} - {"due"}  # it changes no expression
FILLED: dict[str, Any] = {
    "connector": 2**31 - 1,
    "token": "****" + "\N{ELECTRIC PLUG}" * 4,
    "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
    "remote_start_id": 2**31 - 1,
    "url": "https://" + "x" * 2000,
    "digest": b"d" * 16,
    "tenant": 2**31 - 1,
}
LONG = {**ANSWER, "info": "x" * 50}
PROBLEM = {"type": "outcome-unknown", "detail": "x" * 2000}
OUTCOME = {"answer": LONG, "problem": PROBLEM, "milliseconds": {"claim": 1, "link": 2}}
TRANSACTION = Transaction("77", "CP-1", "04A2B3C4", 1, NOW, NOW + 60)
VALUES = {**OUTCOME, "transaction": TRANSACTION}
SETTLED = {
    name: VALUES.get(name, True) for name in Settlement._fields if name not in ("state", "due")
}  # the others are flags


class Write(NamedTuple):
    name: str
    body: dict[str, Any]


def subsets(names: Any) -> Iterator[tuple[str, ...]]:
    ordered = sorted(names)
    return chain.from_iterable(combinations(ordered, size) for size in range(len(ordered) + 1))


def with_fields(given: tuple[str, ...]) -> Opening:
    fields: dict[str, Any] = {name: FILLED[name] if name in given else None for name in OPTIONAL_OPENING}
    return START._replace(**fields)


def openings() -> Iterator[Write]:
    for given in subsets(OPTIONAL_OPENING):
        opening = with_fields(given)
        table = ScriptedTable({"Attributes": item()})
        table.journal().claim(opening, DEADLINE)
        yield Write(f"open {given}", table.requests[0][1])


def takeovers() -> Iterator[Write]:
    for given, key, state in product(subsets(OPTIONAL_OPENING), KEYS, (State.PENDING, State.UNKNOWN)):
        opening = with_fields(given)
        found = item(state=state, lease=NOW - 1, **keyed(key))
        table = ScriptedTable(ConditionFailed(found), {"Attributes": found})
        table.journal().claim(opening, DEADLINE)
        yield Write(f"take over {state} {key} {given}", table.requests[1][1])


def settlements() -> Iterator[Write]:
    for state, given, key in product(State, subsets(SETTLED), KEYS):
        table = ScriptedTable({})
        fields: dict[str, Any] = {name: SETTLED[name] for name in given}
        settlement = Settlement(state, **fields)
        table.journal().settle(Claimed(Attempt.of(item(**keyed(key)))), settlement, DEADLINE)
        yield Write(f"settle {state} {key} {given}", table.requests[0][1])


def late_completions() -> Iterator[Write]:
    for key in KEYS:
        table = ScriptedTable({})
        table.journal().complete_late(Attempt.of(item(**keyed(key))), LONG, DEADLINE, started=bool(key))
        yield Write(f"complete late {key}", table.requests[0][1])


def noted_problems() -> Iterator[Write]:
    for key in KEYS:
        table = ScriptedTable({})
        table.journal().note_problem(Attempt.of(item(**keyed(key))), LONG, DEADLINE)
        yield Write(f"note problem {key}", table.requests[0][1])


LOOKED: dict[str, Any] = {
    "digest": b"d" * 16,
    "shard": "1",
    "sightings": {"77 2026-01-01T00:00:00.000000Z": "2026-01-01T00:00:10.000000Z"},
    "transaction": transaction_map(TRANSACTION),
    "otherTransactions": {"78": {"startedAt": None, "stoppedAt": None}},
    "stop": {"requestedAt": timestamp(NOW), "by": "alice"},
    "problem": PROBLEM,
}


def of_resolved() -> Iterator[Write]:
    """Yield the writes of claims, settles and callbacks of an attempt that an operator resolved."""
    for key, state in product(KEYS, State):
        found = item(state="failed", resolution=NOT_STARTED, **keyed(key))
        attempt = Attempt.of(found)
        for started in (True, False):
            table = ScriptedTable({}, {})
            settlement = Settlement(state, answer=LONG, milliseconds={"link": 2}, started=started)
            table.journal().settle(Claimed(attempt), settlement, DEADLINE)
            table.journal().complete_late(attempt, LONG, DEADLINE, started=started, transaction=TRANSACTION)
            yield Write(f"settle resolved {state} {started} {key}", table.requests[0][1])
            yield Write(f"complete resolved late {state} {started} {key}", table.requests[1][1])
        table = ScriptedTable(ConditionFailed(found), {"Attributes": found})
        table.journal().claim(START, DEADLINE)
        yield Write(f"take over resolved {state} {key}", table.requests[1][1])


def later_updates() -> Iterator[Write]:
    """Yield what looks, operators and stops write, for each state that each of them can find."""
    resolved: tuple[dict[str, Any], ...] = (
        {},
        {"resolution": NOT_STARTED},
        {"resolution": STARTED, "tries": 2},
    )
    for key, resolution, looked, state in product(KEYS, resolved, ({}, LOOKED), State):
        changes = {"state": state, "lease": NOW - 1, **keyed(key), **resolution, **looked}
        attempt = Attempt.of(item(**changes))
        status = Attempt.of(item(**changes, token=None)) if not resolution else None
        for name, update in _updates(attempt, status):
            yield Write(f"{name} {state} {key} {resolution} {bool(looked)}", update.body("attempts"))


def _updates(attempt: Attempt, status: Attempt | None) -> Iterator[tuple[str, Update]]:
    for matching in ({}, {"77 x": timestamp(NOW)}):
        for due, nothing in ((NOT_DUE, True), (NOW + 60, False)):
            look = looks.record_look(attempt, NOW, due, matching=matching, nothing=nothing)
            yield f"record look {due} {bool(matching)}", look
    yield "postpone", looks.postpone(attempt, NOW + 60)
    yield "leave index", looks.leave_index(attempt)
    yield "request stop", stops.request_stop(attempt, "alice", NOW)
    if attempt.stop:
        yield "answer stop", stops.answer_stop(attempt, "Accepted", None, NOW)
        yield "withdraw stop", stops.withdraw_stop(attempt, None)
    if attempt.state is State.PENDING:
        yield "expire", looks.expire(attempt, NOW, NOW + 60)
        if status:
            yield "expire a status request", looks.expire(status, NOW, NOW + 60)
    if attempt.state is State.COMPLETED:
        yield "add a transaction", looks.add_transaction(attempt, TRANSACTION, NOW)
        yield "add another transaction", looks.add_transaction(attempt, TRANSACTION._replace(id="9"), NOW)
        if attempt.resolution and attempt.resolution["outcome"] == "accepted":
            yield "record a contradiction", resolutions.record_contradiction(attempt, LONG, NOW)
    if attempt.known_state(NOW) is State.UNKNOWN:
        yield "resolve as accepted", resolutions.resolve_accepted(attempt, "n" * 2000, "olga", LONG, NOW)
        yield "resolve as not started", resolutions.resolve_not_started(attempt, "n" * 2000, "olga", NOW)
        if not attempt.is_resolved:
            yield "complete as rejected", looks.complete_rejected(attempt, LONG, NOW)
    if attempt.known_state(NOW) is State.UNKNOWN or (attempt.is_resolved and attempt.state is State.FAILED):
        for found in (None, TRANSACTION):
            yield f"complete as found {bool(found)}", looks.complete_found(attempt, LONG, found, NOW)


def taken() -> Iterator[Write]:
    for key in KEYS:
        attempt = Attempt.of(item(**keyed(key)))
        update = looks.take("http://10.0.0.5:8080", "77", attempt, NOW, 86400)
        yield Write(f"take {key}", update.body("attempts"))


def keyed(key: str | None) -> dict[str, str]:
    return {"attemptKey": key} if key else {}


UPDATES = list(later_updates())
LATER = [
    *takeovers(),
    *settlements(),
    *late_completions(),
    *noted_problems(),
    *of_resolved(),
    *UPDATES,
]
WRITES = [*openings(), *taken(), *LATER]


def texts(body: dict[str, Any]) -> list[str]:
    return [body["UpdateExpression"], body["ConditionExpression"]]


def tokens(text: str) -> list[str]:
    found = re.findall(r"[#:]?[A-Za-z_][A-Za-z0-9_]*|[(),=<>+.\-\[\]]+|\S+", text)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    return found


def every(body: dict[str, Any]) -> list[str]:
    return [token for text in texts(body) for token in tokens(text)]


def bare(body: dict[str, Any]) -> set[str]:
    """Return the attributes that are named without a placeholder."""
    words = {token for token in every(body) if re.fullmatch(r"[A-Za-z_]\w*", token)}
    return words - KEYWORDS - FUNCTIONS


def paths(body: dict[str, Any]) -> list[str]:
    """Return the attributes that the update changes, each as often as it is a target."""
    names = body["ExpressionAttributeNames"]
    targets = []
    for clause in re.split(r"\b(?=SET |REMOVE |ADD |DELETE )", body["UpdateExpression"]):
        if clause:
            actions = re.split(r",\s*(?![^(]*\))", clause.split(" ", 1)[1])
            targets += [re.split(r"[ =]", action.strip())[0] for action in actions]
    return [names.get(target, target) for target in targets]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_an_expression_and_its_placeholders_agree(write: Write) -> None:
    used = set(every(write.body))
    names, values = write.body["ExpressionAttributeNames"], write.body["ExpressionAttributeValues"]
    assert {token for token in used if token[0] == "#"} == set(names), "DynamoDB rejects an unused name"
    assert {token for token in used if token[0] == ":"} == set(values), "DynamoDB rejects an unused value"
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_an_update_changes_no_attribute_twice_and_never_the_key(write: Write) -> None:
    changed = paths(write.body)
    assert len(set(changed)) == len(changed), "two paths overlap"
    assert "id" not in changed


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_no_reserved_word_is_used_without_a_placeholder(write: Write) -> None:
    reserved = {word.upper() for word in ReservedKeywords.get_reserved_keywords()}
    assert len(reserved) > 500
    assert not {word for word in bare(write.body) if word.upper() in reserved}


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_every_write_is_within_the_limits(write: Write) -> None:
    placeholders = {**write.body["ExpressionAttributeNames"], **write.body["ExpressionAttributeValues"]}
    for text in texts(write.body):
        assert 0 < len(text.encode()) <= LONGEST_EXPRESSION
        assert text.count("(") == text.count(")")
        for operands in re.findall(r" IN \(([^)]*)\)", text):
            assert 1 <= operands.count(",") + 1 <= MOST_OPERANDS_OF_IN
    assert max(len(name.encode()) for name in placeholders) <= LONGEST_PLACEHOLDER
    assert len(every(write.body)) <= MOST_OPERATORS
    assert len(json.dumps(write.body).encode()) < LARGEST_ITEM
    for value in write.body["ExpressionAttributeValues"].values():
        assert len(value) == 1, "one type each"


@pytest.mark.parametrize("write", LATER, ids=lambda write: write.name)
def test_every_later_write_is_conditional_on_the_attempt_and_never_changes_its_key(write: Write) -> None:
    condition = write.body["ConditionExpression"]
    values = write.body["ExpressionAttributeValues"]
    if ":attemptKey" in values:
        assert condition.startswith("attemptKey = :attemptKey AND ")
    else:
        assert condition.startswith("attribute_not_exists(attemptKey) AND createdAt = :createdAt AND ")
    assert " OR " not in re.sub(r"\(.*\)", "", condition), "the condition must not have an alternative"
    assert "attemptKey" not in paths(write.body)


@pytest.mark.parametrize("write", UPDATES, ids=lambda write: write.name)
def test_what_looks_operators_and_stops_write_is_conditional_on_state_and_try(write: Write) -> None:
    condition = write.body["ConditionExpression"].split(" AND ")
    assert {"#state = :found", "tries = :tries"} <= set(condition)


def test_the_first_write_keeps_a_key_that_the_item_has() -> None:
    written = next(openings()).body["UpdateExpression"]
    assert "attemptKey = if_not_exists(attemptKey, :attemptKey)" in written


def test_each_claim_writes_its_own_key() -> None:
    keys = {write.body["ExpressionAttributeValues"][":attemptKey"]["S"] for write in openings()}
    assert len(keys) == 2 ** len(OPTIONAL_OPENING)
    assert min(map(len, keys)) >= 16

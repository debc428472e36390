"""What an operator records of an unknown attempt, and the list of unknown attempts, through the functions and the table."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from common.aws.credentials import from_environment
from common.journal import (
    Attempt,
    Claimed,
    DynamoDB,
    Journal,
    Opening,
    Settlement,
    State,
    looks,
    token_digest,
)
from common.transport import Deadline
from tests.integration.calling import Caller, request
from tests.integration.misbehaving import Misbehaving, responds_with, status_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

NOT_STARTED = {"outcome": "not-started", "note": "The charger has no charge of this driver."}
ACCEPTED = {"outcome": "accepted", "note": "The charger shows the charge."}
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
ANSWER = {"outcome": "accepted", "status": "Charging", "connectorId": 1, "errorCode": "NoError", "info": None}


class Attempts:
    """Attempts of a server that cannot repeat a start, sent so many seconds ago."""

    def __init__(self, dynamodb: DynamoDB, table: TableServer) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def journal(self, now: float) -> Journal:
        return Journal(self._dynamodb, self._table.name, clock=lambda: now)

    def pending(self, ago: float, **changes: Any) -> Claimed:
        now = time.time() - ago
        opening = Opening(
            id=str(uuid4()),
            charger_id="CP-1",
            server="10.0.0.5:8080",
            dialect="steve",
            connector=1,
            token="****",
            fingerprint=b"f" * 32,
            lease=now + 29,
            caller="alice",
            digest=token_digest(b"s", "CP-1", "04A2B3C4"),
        )
        claimed = self.journal(now).claim(opening._replace(**changes), Deadline.after(5))
        assert isinstance(claimed, Claimed)
        return claimed

    def unknown(self, ago: float = 300.0, **changes: Any) -> str:
        claimed = self.pending(ago, **changes)
        self.settle(claimed, Settlement(State.UNKNOWN, problem=PROBLEM))
        return claimed.attempt.id

    def settle(self, claimed: Claimed, settlement: Settlement) -> None:
        assert self.journal(time.time()).settle(claimed, settlement, Deadline.after(5)) is None

    def get(self, id_: str) -> Attempt:
        found = self.journal(time.time()).get(id_, Deadline.after(5))
        assert found is not None
        return found


@pytest.fixture
def attempts(table: TableServer) -> Iterator[Attempts]:
    environ = table.environment()
    with closing(DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))) as client:
        yield Attempts(client, table)


def test_an_operator_records_that_a_charge_was_started(caller: Caller, attempts: Attempts) -> None:
    id_ = attempts.unknown()
    received = caller.resolve(id_, ACCEPTED)
    assert received.status == 200
    shown = received.body
    assert shown == caller.get(id_).body
    assert (shown["state"], shown["outcome"], shown["problem"]) == ("completed", "accepted", None)
    assert (shown["answer"]["status"], shown["answer"]["info"]) == ("Accepted", "confirmed-by-operator")
    word = shown["resolution"]
    assert (word["outcome"], word["note"], word["by"], word["tries"]) == (*ACCEPTED.values(), "olga", 1)
    assert word["at"].startswith(time.strftime("%Y-", time.gmtime()))


def test_an_operator_records_that_nothing_was_started(caller: Caller, attempts: Attempts) -> None:
    id_ = attempts.unknown()
    received = caller.resolve(id_, NOT_STARTED)
    assert (received.status, received.body["state"], received.body["outcome"]) == (200, "failed", None)
    assert received.body["resolution"]["outcome"] == "not-started"


def test_after_that_a_repeat_starts_once_more_and_is_in_doubt(
    caller: Caller, server: Misbehaving, attempts: Attempts, table: TableServer
) -> None:
    members = request(server.port)
    server.set_scripts(responds_with(body=b"nonsense"))
    assert caller.post(members).status == 504
    (item,) = table.items()
    lease = float(item["lease"]["N"]) - 1000  # the start was sent long ago
    table.call("PutItem", {"TableName": table.name, "Item": {**item, "lease": {"N": str(lease)}}})
    assert caller.resolve(members["id"], NOT_STARTED).status == 200
    server.set_scripts(responds_with(body=status_body("CP-1")))
    assert caller.post(members).status == 200
    found = attempts.get(members["id"])
    assert (found.state, found.tries, found.is_resolved) == (State.COMPLETED, 2, True)
    assert len(server.starts) == 2


def test_a_repeat_of_the_same_resolution_changes_nothing(caller: Caller, attempts: Attempts) -> None:
    for body in (ACCEPTED, NOT_STARTED):
        id_ = attempts.unknown()
        first = caller.resolve(id_, body)
        assert caller.resolve(id_, body).body == first.body


@pytest.mark.parametrize("first", [ACCEPTED, NOT_STARTED], ids=["accepted", "not started"])
@pytest.mark.parametrize("second", [ACCEPTED, NOT_STARTED], ids=["then accepted", "then not started"])
def test_another_operator_cannot_change_what_was_recorded(
    first: dict[str, str], second: dict[str, str], caller: Caller, attempts: Attempts
) -> None:
    id_ = attempts.unknown()
    caller.resolve(id_, first)
    before = attempts.get(id_)
    received = caller.resolve(id_, second, by="otto")
    assert (received.status, received.problem) == (409, "attempt-not-unknown")
    assert received.body["instance"].endswith(id_)
    assert attempts.get(id_) == before


@pytest.mark.parametrize(
    ("dialect", "delivery"), [("steve", 120), ("native", 120), ("ocpp-core", 60), ("of-later", 120)]
)
def test_not_started_is_refused_while_the_start_may_be_delivered(
    dialect: str, delivery: int, caller: Caller, attempts: Attempts
) -> None:
    """The lease ends 29 s after the claim; the start may have been sent until then."""
    id_ = attempts.unknown(29 + delivery - 20, dialect=dialect)
    received = caller.resolve(id_, NOT_STARTED)
    assert (received.status, received.problem, received.outcome) == (409, "too-early", "unknown")
    assert 1 <= int(received.headers["Retry-After"]) <= 20
    assert attempts.get(id_).state is State.UNKNOWN
    late = attempts.unknown(29 + delivery + 1, dialect=dialect)
    assert caller.resolve(late, NOT_STARTED).status == 200
    assert caller.resolve(id_, ACCEPTED).status == 200, "an acceptance does not wait"


def test_only_what_is_unknown_can_be_resolved(caller: Caller, attempts: Attempts) -> None:
    running, failed, completed = (attempts.pending(5), attempts.pending(300), attempts.pending(300))
    status = attempts.pending(300, token=None, digest=None)
    attempts.settle(failed, Settlement(State.FAILED))
    attempts.settle(completed, Settlement(State.COMPLETED, answer=ANSWER, started=True))
    for claimed in (running, failed, completed, status):
        before = attempts.get(claimed.attempt.id)
        for body in (ACCEPTED, NOT_STARTED):
            received = caller.resolve(claimed.attempt.id, body)
            assert (received.status, received.problem) == (409, "attempt-not-unknown")
        assert attempts.get(claimed.attempt.id) == before


def test_an_attempt_whose_invocation_died_can_be_resolved(caller: Caller, attempts: Attempts) -> None:
    died = attempts.pending(300).attempt.id
    assert caller.resolve(died, NOT_STARTED).body["state"] == "failed"


def test_an_attempt_that_does_not_exist_is_a_404(caller: Caller) -> None:
    received = caller.resolve(str(uuid4()), ACCEPTED)
    assert (received.status, received.problem) == (404, "attempt-unknown")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("", ["body"]),
        ("{", ["body"]),
        ("[" * 60_000, ["body"]),
        ([], ["body"]),
        (None, ["body"]),
        ({}, ["outcome", "note"]),
        ({**ACCEPTED, "outcome": "failed"}, ["outcome"]),
        ({**ACCEPTED, "outcome": ["accepted"]}, ["outcome"]),
        ({"outcome": "accepted"}, ["note"]),
        ({**ACCEPTED, "note": " "}, ["note"]),
        ({**ACCEPTED, "note": 5}, ["note"]),
        ({**ACCEPTED, "note": "x" * 1001}, ["note"]),
        ('{"outcome": "accepted", "note": "\\ud83d"}', ["note"]),
    ],
)
def test_an_invalid_resolution_is_reported_with_its_fields(
    body: object, fields: list[str], caller: Caller, attempts: Attempts
) -> None:
    id_ = attempts.unknown()
    received = caller.resolve(id_, body)
    assert (received.status, received.fields) == (400, fields)
    assert attempts.get(id_).state is State.UNKNOWN


def test_a_body_that_is_too_large_is_refused(caller: Caller) -> None:
    received = caller.resolve(str(uuid4()), json.dumps({**ACCEPTED, "more": "x" * 70_000}))
    assert (received.status, received.problem) == (413, "body-too-large")


# the list


def test_the_list_has_what_is_unknown_now(caller: Caller, attempts: Attempts) -> None:
    unknown = {attempts.unknown(), attempts.pending(300).attempt.id}
    attempts.pending(5)
    attempts.settle(attempts.pending(300), Settlement(State.FAILED))
    caller.resolve(attempts.unknown(), NOT_STARTED)
    caller.resolve(attempts.unknown(), ACCEPTED)
    received = caller.unknown()
    assert (received.status, received.body["next"]) == (200, None)
    assert {attempt["id"] for attempt in received.body["attempts"]} == unknown
    assert {attempt["state"] for attempt in received.body["attempts"]} == {"unknown"}


def test_the_list_leaves_out_what_an_older_version_left_in_the_index(
    caller: Caller, attempts: Attempts, table: TableServer
) -> None:
    id_ = attempts.unknown()
    item = {**table.items()[0], "state": {"S": "completed"}}
    table.call("PutItem", {"TableName": table.name, "Item": item})
    assert caller.unknown().body == {"attempts": [], "next": None}
    assert attempts.journal(0.0).apply(looks.leave_index(attempts.get(id_)), Deadline.after(5))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_pages_of_the_list_contain_each_attempt_once(
    limit: int, caller: Caller, attempts: Attempts
) -> None:
    expected = sorted(attempts.unknown(id=str(UUID(int=number + 1))) for number in range(13))
    found: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        received = caller.unknown(limit=str(limit), **({"next": cursor} if cursor else {}))
        assert len(received.body["attempts"]) <= limit
        found += [attempt["id"] for attempt in received.body["attempts"]]
        cursor, pages = received.body["next"], pages + 1
        assert pages < 60
    assert sorted(found) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": ""}, "state"),
        ({"state": "pending"}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"next": "x"}, "next"),
        ({"next": "WyI5Il0"}, "next"),
    ],
)
def test_a_wrong_parameter_of_the_list_is_reported(query: dict[str, str], field: str, caller: Caller) -> None:
    received = caller.unknown(**query)
    assert (received.status, received.fields) == (400, [field])

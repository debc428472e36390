"""The transition table of a claim on the embedded table, and claims that race or lose their response."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, Claimed, Journal, JournalUnavailable, Mismatch, Pending, State
from common.journal.attempt import timestamp
from common.journal.index_keys import shard_of
from common.transport import Deadline
from local.table import LOST_RESPONSE, THROTTLED, Fault
from tests.unit.journal.transitions import ANSWER, ID, NOW, OTHER, ROWS, START, Row, item

if TYPE_CHECKING:
    from common.journal import DynamoDB
    from local.table import TableServer


def journal(dynamodb: DynamoDB, table: TableServer, now: float = NOW) -> Journal:
    return Journal(dynamodb, table.name, repeatable=("native",), clock=lambda: now)


def soon() -> Deadline:
    return Deadline.after(5)


def put(table: TableServer, **changes: Any) -> None:
    table.call("PutItem", {"TableName": table.name, "Item": item(**changes)})


def only(table: TableServer) -> Attempt:
    (found,) = table.items()
    return Attempt.of(found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_claim_follows_the_transition_table(row: Row, dynamodb: DynamoDB, table: TableServer) -> None:
    put(table, **row.old)
    before = only(table)
    claim = journal(dynamodb, table).claim(row.opening, soon())
    assert type(claim) is row.claim
    if not isinstance(claim, Claimed):
        assert only(table) == before, "without a claim, nothing changes"
        return
    assert claim.doubt is row.doubt
    after = only(table)
    assert after == claim.attempt
    assert (after.state, after.tries, after.lease) == (State.PENDING, before.tries + 1, START.lease)
    assert after.owner not in ("", before.owner)
    assert (after.answer, after.problem, after.milliseconds) == (None, None, None)
    unchanged = (
        "createdAt",
        "attemptKey",
        "server",
        "url",
        "dialect",
        "connectorId",
        "fingerprint",
        "expiresAt",
        "chargerId",
    )
    assert all(getattr(after, name) == getattr(before, name) for name in unchanged)


def test_the_first_claim_writes_everything_in_one_call(dynamodb: DynamoDB, table: TableServer) -> None:
    opening = START._replace(trace_id="1-5759e988-bd862e3fe1be46a994272793", url="http://10.0.0.5:8080")
    claim = journal(dynamodb, table).claim(opening, soon())
    assert isinstance(claim, Claimed)
    assert not claim.doubt
    assert only(table) == claim.attempt
    assert claim.attempt == Attempt(
        id=ID, chargerId="CP-1", state=State.PENDING, createdAt=timestamp(NOW), updatedAt=timestamp(NOW),
        server="10.0.0.5:8080", dialect="native", connectorId=1, token="****", tries=1, owner=claim.attempt.owner,
        lease=START.lease, fingerprint=START.fingerprint, caller="alice", traceId=opening.trace_id,
        url=opening.url, expiresAt=int(NOW) + 90 * 86400, attemptKey=claim.attempt.attemptKey,
        shard=shard_of(ID), dueAt=START.lease, firstSentAt=timestamp(NOW), sentAt=timestamp(NOW),
    )  # fmt: skip
    assert table.operations == {"UpdateItem": 1}


def test_a_failed_attempt_is_claimed_again_and_keeps_its_creation_time(
    dynamodb: DynamoDB, table: TableServer
) -> None:
    put(
        table,
        state="failed",
        problem={"type": "server-busy", "detail": "x"},
        answer=ANSWER,
        createdAt=timestamp(0.0),
    )
    again = START._replace(server="10.0.0.9:8080", connector=None, token=None)
    claim = journal(dynamodb, table).claim(again, soon())
    assert isinstance(claim, Claimed)
    assert not claim.doubt
    found = only(table)
    assert (found.state, found.tries, found.createdAt) == (State.PENDING, 2, timestamp(0.0))
    assert (found.server, found.connectorId, found.token) == ("10.0.0.9:8080", None, None)
    assert (found.answer, found.problem) == (None, None)
    assert table.operations == {"UpdateItem": 1}


def test_a_failed_attempt_with_another_fingerprint_is_a_mismatch(
    dynamodb: DynamoDB, table: TableServer
) -> None:
    put(table, state="failed", fingerprint=OTHER)
    assert isinstance(journal(dynamodb, table).claim(START, soon()), Mismatch)


@pytest.mark.parametrize("old", [None, {"state": "failed"}, {"lease": NOW - 1}, {"state": "unknown"}])
def test_exactly_one_of_fifty_concurrent_claims_succeeds(
    old: dict[str, Any] | None, dynamodb: DynamoDB, table: TableServer
) -> None:
    if old is not None:
        put(table, **old)
    one = journal(dynamodb, table)
    with ThreadPoolExecutor(50) as pool:
        claims = list(pool.map(lambda _: one.claim(START, Deadline.after(20)), range(50)))
    (winner,) = [claim for claim in claims if isinstance(claim, Claimed)]
    assert sum(isinstance(claim, Pending) for claim in claims) == 49
    assert only(table) == winner.attempt


@pytest.mark.parametrize("fault", [LOST_RESPONSE, Fault(error="InternalServerError")], ids=["dropped", "500"])
@pytest.mark.parametrize(
    ("old", "doubt", "lost"),
    [
        (None, False, 1),
        ({"state": "failed"}, False, 1),
        ({"lease": NOW - 1}, True, 2),
        ({"state": "unknown"}, True, 2),
    ],
    ids=["first", "failed", "lease expired", "unknown"],
)
def test_a_claim_whose_response_is_lost_succeeds(
    fault: Fault, old: dict[str, Any] | None, doubt: bool, lost: int, dynamodb: DynamoDB, table: TableServer
) -> None:
    if old is not None:
        put(table, **old)
    tries = only(table).tries if old is not None else 0
    table.on_request = lambda *_: fault if table.operations["UpdateItem"] == lost else None
    claim = journal(dynamodb, table).claim(START, soon())
    assert isinstance(claim, Claimed)
    assert claim.doubt is doubt
    assert only(table) == claim.attempt
    assert claim.attempt.tries == tries + 1, "the try is counted once, although it is written twice"


def test_a_throttled_claim_is_retried(dynamodb: DynamoDB, table: TableServer) -> None:
    table.on_request = lambda *_: THROTTLED if table.operations["UpdateItem"] < 4 else None
    assert isinstance(journal(dynamodb, table).claim(START, soon()), Claimed)
    assert table.operations["UpdateItem"] == 4


def test_a_claim_that_cannot_be_written_in_time_is_unavailable(
    dynamodb: DynamoDB, table: TableServer
) -> None:
    table.on_request = lambda *_: THROTTLED
    with pytest.raises(JournalUnavailable, match=r"ThrottlingException|timeout"):
        journal(dynamodb, table).claim(START, Deadline.after(0.2))
    assert table.items() == []


def test_after_the_deadline_nothing_is_written(dynamodb: DynamoDB, table: TableServer) -> None:
    journal(dynamodb, table).claim(START._replace(id="another"), soon())  # leaves an idle connection
    with pytest.raises(JournalUnavailable, match="timeout"):
        journal(dynamodb, table).claim(START, Deadline.after(-1))
    assert [one["id"]["S"] for one in table.items()] == ["another"]

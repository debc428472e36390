"""The judge detects a double start and every way to lose an attempt. Otherwise, a storm without findings proves nothing."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from charger_link import Answer, Outcome
from charger_link.ocpp import rejected
from charger_link.words import InfoWord
from common.aws.credentials import Credentials
from common.journal import Claimed, DynamoDB, Journal, Opening, Settlement, State
from common.transport import Deadline
from local.table import REGION, start_table
from tests.chaos.clients import Order
from tests.chaos.harness import Harness
from tests.chaos.judge import Verdict, judge

if TYPE_CHECKING:
    from pathlib import Path

ID, TOKEN = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "T0000001"
ACCEPTED = Answer(Outcome.ACCEPTED, "Accepted", 1).record()
ACCEPTED_SETTLEMENT = Settlement(State.COMPLETED, answer=ACCEPTED, started=True)
REJECTED_SETTLEMENT = Settlement(State.COMPLETED, answer=rejected(InfoWord.CHARGER_REFUSED, 1).record())
FAILED_SETTLEMENT = Settlement(State.FAILED)
OK, REJECTED, OFFLINE = (
    (200, {"status": "Accepted"}),
    (200, {"status": "Rejected"}),
    (200, {"status": "Unavailable"}),
)
CONFLICT, GATEWAY_ERROR = (409, {"type": "/problems/attempt-in-progress"}), (503, {"message": "x"})


def judge_one(
    directory: Path, settlement: Settlement | None, starts: int, *responses: tuple[int, dict[str, Any]]
) -> Verdict:
    """Judge one attempt by its settlement in the table, the starts at charge points, and the callers' responses."""
    file = directory / "starts.jsonl"
    file.write_text("".join(json.dumps({"token": TOKEN}) + "\n" for _ in range(starts)))
    with closing(start_table()) as table:
        if settlement:
            dynamodb = DynamoDB(table.url, REGION, lambda: Credentials("local", "local", None))
            with closing(Journal(dynamodb, table.name)) as journal:
                opening = Opening(ID, "CP-1", "127.0.0.1:1", "native", None, "****", b"f", 0.0, "alice")
                claimed = journal.claim(opening, Deadline.after(10))
                assert isinstance(claimed, Claimed)
                assert journal.settle(claimed, settlement, Deadline.after(10)) is None
        unused = cast("Any", None)
        harness = Harness(0, table, unused, unused, {}, unused, file, directory / "none")
        order = Order(ID, "CP-1", TOKEN, two_callers=False, responses=list(responses))
        return judge([order], harness)


@pytest.mark.parametrize(
    ("settlement", "starts", "responses"),
    [
        (ACCEPTED_SETTLEMENT, 1, [CONFLICT, OK, OK]),
        (REJECTED_SETTLEMENT, 1, [REJECTED]),
        (FAILED_SETTLEMENT, 0, [OFFLINE]),
        (None, 0, [GATEWAY_ERROR]),
    ],
)
def test_a_consistent_attempt_is_neither_double_nor_lost(
    settlement: Settlement | None, starts: int, responses: list[Any], tmp_path: Path
) -> None:
    verdict = judge_one(tmp_path, settlement, starts, *responses)
    assert (verdict.doubles, verdict.lost, verdict.starts) == ([], [], starts)


def test_a_token_received_twice_is_a_double(tmp_path: Path) -> None:
    assert len(judge_one(tmp_path, ACCEPTED_SETTLEMENT, 2, OK).doubles) == 1


@pytest.mark.parametrize(
    ("settlement", "starts", "responses"),
    [
        pytest.param(FAILED_SETTLEMENT, 1, [], id="failed, but a charge point received a start"),
        pytest.param(ACCEPTED_SETTLEMENT, 0, [OK], id="accepted, but no charge point received a start"),
        pytest.param(
            REJECTED_SETTLEMENT, 1, [OK], id="the caller received another answer than the recorded one"
        ),
        pytest.param(FAILED_SETTLEMENT, 0, [OK], id="the caller received a success that is not recorded"),
        pytest.param(None, 1, [], id="a start without an attempt"),
        pytest.param(None, 0, [OK], id="a success without an attempt"),
        pytest.param(None, 0, [CONFLICT], id="a problem without an attempt"),
    ],
)
def test_an_inconsistent_attempt_is_lost(
    settlement: Settlement | None, starts: int, responses: list[Any], tmp_path: Path
) -> None:
    assert len(judge_one(tmp_path, settlement, starts, *responses).lost) == 1

"""The judge detects a double start and every way to lose an attempt. Otherwise, a storm without findings proves nothing."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from charger_link import Answer, Outcome
from charger_link.ocpp import rejected
from charger_link.words import InfoWord
from common.aws.credentials import Credentials
from common.journal import Attempt, Claimed, DynamoDB, Journal, Opening, Settlement, State
from common.remote_start.transaction import Transaction
from common.transport import Deadline
from local.chargers import Behaviour
from local.table import REGION, start_table
from tests.chaos.clients import Order
from tests.chaos.judge import Evidence, Verdict, judge

ID, TOKEN = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "T0000001"
ACCEPTED = Answer(Outcome.ACCEPTED, "Accepted", 1).record()
ACCEPTED_SETTLEMENT = Settlement(State.COMPLETED, answer=ACCEPTED, started=True)
REJECTED_SETTLEMENT = Settlement(State.COMPLETED, answer=rejected(InfoWord.CHARGER_REFUSED, 1).record())
FOREIGN_SETTLEMENT = ACCEPTED_SETTLEMENT._replace(transaction=Transaction("8", "CP-1", TOKEN, 1, 1.8e9, None))
UNKNOWN_SETTLEMENT = Settlement(State.UNKNOWN, problem={"type": "outcome-unknown", "detail": "No response."})
FAILED_SETTLEMENT = Settlement(State.FAILED)
OK, REJECTED, OFFLINE = (
    (200, {"status": "Accepted"}),
    (200, {"status": "Rejected"}),
    (200, {"status": "Unavailable"}),
)
CONFLICT, GATEWAY_ERROR = (409, {"type": "/problems/attempt-in-progress"}), (503, {"message": "x"})


CHARGES = {("CP-1", "7")}


def judge_one(
    settlement: Settlement | None,
    starts: int,
    *responses: tuple[int, dict[str, Any]],
    charges: set[tuple[str, str]] = CHARGES,
    recorded: set[tuple[str, str]] = CHARGES,
) -> Verdict:
    """Judge one attempt by its settlement in the table, the records of the others, and the callers' responses."""
    attempts: dict[str, Attempt] = {}
    with closing(start_table()) as table:
        if settlement:
            dynamodb = DynamoDB(table.url, REGION, lambda: Credentials("local", "local", None))
            with closing(Journal(dynamodb, table.name)) as journal:
                opening = Opening(ID, "CP-1", "127.0.0.1:1", "native", None, "****", b"f", 0.0, "alice")
                claimed = journal.claim(opening, Deadline.after(10))
                assert isinstance(claimed, Claimed)
                assert journal.settle(claimed, settlement, Deadline.after(10)) is None
                attempt = journal.get(ID, Deadline.after(10))
                assert attempt is not None
                attempts[ID] = attempt
    order = Order(ID, "CP-1", TOKEN, two_callers=False, responses=list(responses))
    behaviours = {"CP-1": Behaviour("CP-1")}
    evidence = Evidence(Counter({TOKEN: starts}), {TOKEN: charges}, recorded, attempts, behaviours)
    return judge([order], evidence)


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
    settlement: Settlement | None, starts: int, responses: list[Any]
) -> None:
    verdict = judge_one(settlement, starts, *responses)
    assert (verdict.doubles, verdict.lost, verdict.starts) == ([], [], starts)


def test_a_token_received_twice_is_a_double() -> None:
    assert len(judge_one(ACCEPTED_SETTLEMENT, 2, OK).doubles) == 1


@pytest.mark.parametrize(
    ("settlement", "starts", "responses"),
    [
        pytest.param(FAILED_SETTLEMENT, 1, [], id="failed, but a charge point received a start"),
        pytest.param(ACCEPTED_SETTLEMENT, 0, [OK], id="accepted, but no charge point received a start"),
        pytest.param(
            REJECTED_SETTLEMENT, 1, [OK], id="the caller received another answer than the recorded one"
        ),
        pytest.param(FAILED_SETTLEMENT, 0, [OK], id="the caller received a success that is not recorded"),
        pytest.param(FOREIGN_SETTLEMENT, 1, [OK], id="the attempt's transaction is another token's charge"),
        pytest.param(None, 1, [], id="a start without an attempt"),
        pytest.param(None, 0, [OK], id="a success without an attempt"),
        pytest.param(None, 0, [CONFLICT], id="a problem without an attempt"),
    ],
)
def test_an_inconsistent_attempt_is_lost(
    settlement: Settlement | None, starts: int, responses: list[Any]
) -> None:
    assert len(judge_one(settlement, starts, *responses).lost) == 1


@pytest.mark.parametrize(
    ("charges", "recorded", "missed"),
    [
        pytest.param(CHARGES, CHARGES, 1, id="the records show the charge"),
        pytest.param(CHARGES, {("CP-1", "8"), ("CP-2", "7")}, 0, id="the records show other charges"),
        pytest.param(set(), CHARGES, 0, id="no charge began"),
    ],
)
def test_an_unknown_attempt_is_missed_if_its_charge_is_in_the_records(
    charges: set[tuple[str, str]], recorded: set[tuple[str, str]], missed: int
) -> None:
    verdict = judge_one(UNKNOWN_SETTLEMENT, 1, charges=charges, recorded=recorded)
    assert (len(verdict.unknown), len(verdict.missed)) == (1, missed)

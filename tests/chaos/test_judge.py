"""The judge sees a double start and each way to lose an attempt: a storm without them is no proof otherwise."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from charger_link import Answer, Outcome
from charger_link.ocpp import rejected
from charger_link.words import InfoWord
from common.journal import Claimed, DynamoDB, Journal, Opening, Settlement, State
from common.transport import Deadline
from common.transport.credentials import Credentials
from local.table import REGION, start_table
from tests.chaos.clients import Order
from tests.chaos.harness import Stage
from tests.chaos.judge import Verdict, judge

if TYPE_CHECKING:
    from pathlib import Path

ID, TOKEN = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "T0000001"
ACCEPTED = Answer(Outcome.ACCEPTED, "Accepted", 1).record()
TAKEN = Settlement(State.COMPLETED, answer=ACCEPTED, started=True)
DECLINED = Settlement(State.COMPLETED, answer=rejected(InfoWord.CHARGER_REFUSED, 1).record())
NOTHING = Settlement(State.FAILED)
OK, REJECTED, OFFLINE = (
    (200, {"status": "Accepted"}),
    (200, {"status": "Rejected"}),
    (200, {"status": "Unavailable"}),
)
CONFLICT, GATEWAYS_OWN = (409, {"type": "/problems/attempt-in-progress"}), (503, {"message": "x"})


def judged(
    directory: Path, settlement: Settlement | None, starts: int, *heard: tuple[int, dict[str, Any]]
) -> Verdict:
    """What is said of one attempt: as it stands in the table, as charge points received it, as callers heard of it."""
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
        nobody = cast("Any", None)
        stage = Stage(0, table, nobody, nobody, {}, nobody, file, directory / "none")
        return judge([Order(ID, "CP-1", TOKEN, twice=False, heard=list(heard))], stage)


@pytest.mark.parametrize(
    ("settlement", "starts", "heard"),
    [
        (TAKEN, 1, [CONFLICT, OK, OK]),
        (DECLINED, 1, [REJECTED]),
        (NOTHING, 0, [OFFLINE]),
        (None, 0, [GATEWAYS_OWN]),
    ],
)
def test_what_agrees_is_neither_double_nor_lost(
    settlement: Settlement | None, starts: int, heard: list[Any], tmp_path: Path
) -> None:
    verdict = judged(tmp_path, settlement, starts, *heard)
    assert (verdict.doubles, verdict.lost, verdict.starts) == ([], [], starts)


def test_a_token_received_twice_is_a_double(tmp_path: Path) -> None:
    assert len(judged(tmp_path, TAKEN, 2, OK).doubles) == 1


@pytest.mark.parametrize(
    ("settlement", "starts", "heard"),
    [
        pytest.param(NOTHING, 1, [], id="failed, and a charge point was asked"),
        pytest.param(TAKEN, 0, [OK], id="accepted, and nobody was asked"),
        pytest.param(DECLINED, 1, [OK], id="another answer was told than stands there"),
        pytest.param(NOTHING, 0, [OK], id="a success was told that is not recorded"),
        pytest.param(None, 1, [], id="a start without an attempt"),
        pytest.param(None, 0, [OK], id="an answer without an attempt"),
        pytest.param(None, 0, [CONFLICT], id="a problem of an attempt that is not there"),
    ],
)
def test_what_contradicts_is_lost(
    settlement: Settlement | None, starts: int, heard: list[Any], tmp_path: Path
) -> None:
    assert len(judged(tmp_path, settlement, starts, *heard).lost) == 1

"""An answer as it is stored, and the OCPP payloads of a start."""

from __future__ import annotations

from typing import Any

import pytest

from charger_link import Answer, Command, LinkServers, Outcome
from charger_link.ocpp import offline, rejected, rejected_early, start_16, start_201
from charger_link.words import InfoWord
from common.remote_start import remote_start_id

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
ANSWER = Answer(Outcome.REJECTED, "Rejected", 2, "WeakSignal", "x")


def test_an_answer_is_stored_and_read_with_all_its_fields() -> None:
    record = ANSWER.record()
    assert record == {
        "outcome": "rejected", "status": "Rejected", "connectorId": 2, "errorCode": "WeakSignal", "info": "x",
    }  # fmt: skip
    assert type(record["outcome"]) is str
    assert Answer.of(record) == ANSWER
    assert ANSWER.with_outcome(Outcome.OFFLINE) == ANSWER._replace(outcome=Outcome.OFFLINE)


def test_a_rejection_before_the_charger_was_asked_is_early() -> None:
    word = InfoWord.NOT_SUPPORTED
    assert rejected(word, 2) == Answer(Outcome.REJECTED, "Rejected", 2, "NoError", "not-supported")
    assert rejected_early(word, 2, "x") == Answer(
        Outcome.REJECTED, "Rejected", 2, "NoError", "not-supported x", True
    )
    assert rejected_early(word, None) == Answer(
        Outcome.REJECTED, "Rejected", 0, "NoError", "not-supported", True
    )
    assert offline(InfoWord.NOT_CONNECTED, 2) == Answer(
        Outcome.OFFLINE, "Unavailable", 2, "NoError", "not-connected"
    )


@pytest.mark.parametrize(
    ("connector", "of_16", "of_201"), [(None, {}, {}), (2, {"connectorId": 2}, {"evseId": 2})]
)
def test_the_payload_of_a_start(connector: int | None, of_16: dict[str, Any], of_201: dict[str, Any]) -> None:
    server = LinkServers.parse('[{"network": "10.0.0.0/8", "ports": [80]}]').find("10.0.0.5", 80)
    command = Command(ID, "CP-1", "TAG1", connector, server)
    assert start_16(command) == {"idTag": "TAG1", **of_16}
    assert start_201(command) == {
        "idToken": {"idToken": "TAG1", "type": "Central"}, "remoteStartId": remote_start_id(ID), **of_201,
    }  # fmt: skip

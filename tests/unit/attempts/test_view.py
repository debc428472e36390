"""The JSON object of an attempt."""

from __future__ import annotations

import json

import pytest

from attempts.view import to_json
from common.journal import Attempt
from tests.unit.journal.transitions import ANSWER, ID, NOW, item


def test_attributes_that_protect_an_attempt_are_not_returned() -> None:
    document = json.dumps(
        to_json(
            Attempt.of(item(owner="me and only me", attemptKey="the key", answer=ANSWER, state="completed")),
            NOW,
        )
    )
    for hidden in ("owner", "me and only me", "lease", "fingerprint", "expiresAt", "attemptKey", "the key"):
        assert hidden not in document


def test_an_answer_is_returned_as_the_caller_received_it() -> None:
    document = to_json(Attempt.of(item(answer=ANSWER, state="completed")), NOW)
    expected = {
        "id": ID,
        "chargerId": "CP-1",
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Charging",
        "info": None,
    }
    assert (document["outcome"], document["answer"], document["state"]) == ("accepted", expected, "completed")


@pytest.mark.parametrize(
    ("dialect", "number"),
    [
        ("native", 1371516746),
        ("citrineos", 1371516746),
        ("steve", None),
        ("ocpp-core", None),
        ("ocpp-cs", None),
        ("of-later", None),
    ],
)
def test_a_remote_start_id_is_returned_only_if_the_server_sends_it_to_the_charger(
    dialect: str, number: int | None
) -> None:
    assert to_json(Attempt.of(item(dialect=dialect)), NOW)["remoteStartId"] == number


def test_a_status_has_no_remote_start_id() -> None:
    status = item()
    del status["token"]
    assert to_json(Attempt.of(status), NOW)["remoteStartId"] is None


def test_an_item_of_version_1_0_that_stores_the_number_is_read() -> None:
    assert to_json(Attempt.of(item(remoteStartId=1371516746, dialect="steve")), NOW)["remoteStartId"] is None


def test_a_pending_attempt_whose_lease_has_ended_is_returned_as_unknown() -> None:
    assert to_json(Attempt.of(item(lease=NOW - 1)), NOW)["state"] == "unknown"
    assert to_json(Attempt.of(item()), NOW)["state"] == "pending"

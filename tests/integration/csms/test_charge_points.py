"""Each charge point of the local stack behaves over REST as its behaviour defines."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from ocpp.messages import Call, CallResult, validate_payload

from local.chargers import Behaviour, Reaction, unusual, usual
from tests.integration.csms.client import Rest
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.csms.conftest import type_of_plug


def named(identity: str) -> Behaviour:
    behaviour = next(each for each in usual() + unusual() if each.identity == identity)
    behaviour.charge_seconds = 0.3
    behaviour.cable_seconds = 0.3
    return behaviour


@pytest.mark.parametrize("identity", ["CP-1", "CP-2"])
def test_a_start_is_accepted_and_the_charge_ends_by_itself(
    rest: Rest, plug: type_of_plug, identity: str
) -> None:
    charger = plug(named(identity))
    charging = {"Charging", "Occupied"}
    reply = rest.connect(identity, "DRIVER-1", connector=1)
    assert reply.outcome == (200, "Accepted")
    assert reply.body == {
        "chargerId": identity,
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Accepted",
        "info": None,
    }
    eventually(lambda: rest.status(identity).body["status"] in charging)
    eventually(lambda: rest.status(identity).body["status"] == "Available")
    assert [(start.token, start.connector) for start in charger.starts] == [("DRIVER-1", 1)]


def test_the_reports_of_a_charge_do_not_overtake_the_answer_to_its_start(
    rest: Rest, plug: type_of_plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow_for_answers(message: Call | CallResult, version: str) -> None:
        if isinstance(message, CallResult):
            await asyncio.sleep(0.2)
        await validate_payload(message, version)

    plug(named("CP-1"))
    monkeypatch.setattr("local.ocppj.validate_payload", slow_for_answers)
    assert rest.connect("CP-1", connector=1).outcome == (200, "Accepted")


def test_a_start_without_a_connector_is_left_to_the_charger(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(named("CP-1"))
    assert rest.connect("CP-1").body["connectorId"] == 0
    assert charger.starts[0].connector is None


def test_the_remote_start_id_is_made_from_the_id(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(named("CP-2"))
    rest.connect("CP-2", key="00000000-0000-0000-0000-000000000000")
    # printf 00000000-0000-0000-0000-000000000000 | sha256sum: 12b9377c...
    assert charger.starts[0].remoteStartId == 0x12B9377C


def test_a_known_charger_that_is_not_connected_is_unavailable(rest: Rest) -> None:
    reply = rest.connect("CP-3", connector=2)
    assert reply.outcome == (200, "Unavailable")
    assert (reply.body["info"], reply.body["connectorId"]) == ("not-connected", 2)
    assert rest.status("CP-3").outcome == (200, "Unavailable")


def test_a_charger_that_never_connected_is_unknown(rest: Rest) -> None:
    assert rest.connect("CP-99").outcome == (404, "charger-unknown")
    assert rest.status("CP-99").outcome == (404, "charger-unknown")


def test_a_charger_that_was_connected_once_stays_known(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(named("CP-1"))
    charger.behaviour.online = False
    eventually(lambda: rest.connect("CP-1").outcome == (200, "Unavailable"))
    charger.behaviour.online = True
    eventually(lambda: rest.connect("CP-1").outcome == (200, "Accepted"))


def test_a_charger_that_rejects(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(named("CP-4"))
    reply = rest.connect("CP-4")
    assert reply.outcome == (200, "Rejected")
    assert reply.body["info"] == "charger-refused"
    assert len(charger.starts) == 1


def test_a_silent_charger_leaves_the_outcome_unknown_and_still_reports_its_status(
    rest: Rest, plug: type_of_plug
) -> None:
    charger = plug(named("CP-5"))
    assert rest.connect("CP-5", wait=1).outcome == (504, "no-answer")
    assert rest.status("CP-5").outcome == (200, "Available")
    assert len(charger.starts) == 1


def test_of_two_connectors_the_busy_one_rejects_and_the_other_accepts(rest: Rest, plug: type_of_plug) -> None:
    plug(named("CP-6"))
    eventually(lambda: rest.status("CP-6", "?connectorId=2").status == 200)
    busy = rest.connect("CP-6", connector=1)
    assert (busy.outcome, busy.body["info"]) == ((200, "Rejected"), "connector-busy")
    assert rest.connect("CP-6", connector=2).outcome == (200, "Accepted")
    assert rest.status("CP-6", "?connectorId=1").body["status"] == "Charging"


def test_a_start_without_a_connector_finds_the_free_one(rest: Rest, plug: type_of_plug) -> None:
    plug(named("CP-6"))
    assert rest.connect("CP-6").outcome == (200, "Accepted")
    eventually(lambda: rest.status("CP-6", "?connectorId=2").body["status"] == "Charging")


def test_without_a_cable_an_accepted_start_goes_back_to_available(rest: Rest, plug: type_of_plug) -> None:
    plug(named("CP-7"))
    assert rest.connect("CP-7").outcome == (200, "Accepted")
    eventually(lambda: rest.status("CP-7").body["status"] == "Preparing")
    eventually(lambda: rest.status("CP-7").body["status"] == "Available")


def test_a_late_answer_is_stored_and_returned_to_a_repeated_request(rest: Rest, plug: type_of_plug) -> None:
    behaviour = named("CP-8")
    behaviour.delay = 3
    charger = plug(behaviour)
    key = str(uuid4())
    assert rest.connect("CP-8", key=key, wait=1).outcome == (504, "no-answer")
    assert rest.connect("CP-8", key=key).outcome == (200, "Accepted")
    assert rest.connect("CP-8", key=key).outcome == (200, "Accepted")
    assert len(charger.starts) == 1


def test_a_socket_that_drops_before_the_answer_leaves_it_unknown_even_if_a_charge_is_reported(
    rest: Rest, plug: type_of_plug
) -> None:
    charger = plug(named("CP-9"))
    key = str(uuid4())
    assert rest.connect("CP-9", key=key).outcome == (504, "no-answer")
    eventually(lambda: rest.status("CP-9").body["status"] == "Charging")
    assert rest.connect("CP-9", key=key, wait=1).outcome == (504, "no-answer")
    assert len(charger.starts) == 1


def test_in_ocpp_2_the_reported_transaction_proves_the_lost_answer(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(Behaviour("CP-9b", version="2.0.1", reaction=Reaction.DROP))
    key = str(uuid4())
    assert rest.connect("CP-9b", key=key).outcome == (504, "no-answer")
    reply = eventually(lambda: (found := rest.connect("CP-9b", key=key, wait=1)).status == 200 and found)
    assert (reply.body["status"], reply.body["connectorId"]) == ("Preparing", 1)
    assert len(charger.starts) == 1


def test_a_charger_that_knows_no_remote_start_is_not_supported(rest: Rest, plug: type_of_plug) -> None:
    plug(named("CP-10"))
    reply = rest.connect("CP-10")
    assert (reply.outcome, reply.body["info"]) == ((200, "Rejected"), "not-supported")


def test_a_second_start_at_a_busy_connector_is_rejected(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(Behaviour("CP-1", charge_seconds=30))
    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(reply.outcome[1] for reply in pool.map(lambda _: rest.connect("CP-1"), range(4)))
    assert outcomes == ["Accepted", "Rejected", "Rejected", "Rejected"]
    assert len(charger.starts) == 4


def test_a_behaviour_can_be_changed_while_the_charge_point_runs(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(named("CP-1"))
    charger.behaviour.reaction = Reaction.REJECT
    assert rest.connect("CP-1").outcome == (200, "Rejected")
    charger.behaviour.reaction = Reaction.ACCEPT
    assert rest.connect("CP-1").outcome == (200, "Accepted")


@pytest.mark.parametrize("identity", ["A/B", "..", "Säule 7%", "a?b#c", "ladepunkt.münchen", "CP%2F1"])
def test_an_identity_is_one_percent_encoded_segment(rest: Rest, plug: type_of_plug, identity: str) -> None:
    charger = plug(Behaviour(identity))
    reply = rest.connect(identity, "T")
    assert reply.outcome == (200, "Accepted")
    assert reply.body["chargerId"] == identity
    assert [start.charger for start in charger.starts] == [identity]


def test_a_long_token_never_reaches_a_1_6_charger(rest: Rest, plug: type_of_plug) -> None:
    old, new = plug(named("CP-1")), plug(named("CP-2"))
    reply = rest.connect("CP-1", "T" * 21)
    assert (reply.outcome, reply.body["info"]) == ((200, "Rejected"), "token-too-long")
    assert rest.connect("CP-1", "T" * 20).outcome == (200, "Accepted")
    assert rest.connect("CP-2", "T" * 36).outcome == (200, "Accepted")
    assert ([start.token for start in old.starts], [start.token for start in new.starts]) == (
        ["T" * 20],
        ["T" * 36],
    )

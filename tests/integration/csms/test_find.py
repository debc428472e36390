"""What the server returns of a start that was requested before, over REST, from what real charge points reported."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.chargers import Behaviour, ChargePoint, Reaction
from local.csms import Csms, Options
from local.csms.results import remote_start_id
from local.ocppj import now
from tests.integration.csms.client import Rest, Scripted
from tests.integration.csms.test_ocpp import start
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.csms.conftest import type_of_plug

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


def recorded(charge_point: ChargePoint) -> list[dict[str, Any]]:
    """Return the charge point's own record of its transactions, as the server returns them."""
    return [
        {
            "id": charge_point.id_of(one),
            "connectorId": one.connector,
            "startedAt": one.started_at,
            "stoppedAt": one.stopped_at,
        }
        for one in charge_point.transactions
    ]


def transactions(rest: Rest, key: str, charger: str = "CP") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.find(charger, key).body["transactions"]
    return found


@VERSIONS
def test_a_charge_is_found_while_it_runs_and_after_it_has_ended(
    rest: Rest, plug: type_of_plug, version: str
) -> None:
    charger = plug(Behaviour("CP", version=version, charge_seconds=60))
    key = str(uuid4())
    result = rest.connect("CP", key=key, connector=1).body
    eventually(lambda: transactions(rest, key))
    assert rest.find("CP", key.upper()).body == {
        "id": key,
        "chargerId": "CP",
        "state": "started",
        "cancelled": False,
        "result": result,
        "transactions": recorded(charger),
    }
    charger.transactions[0].stop_requested.set()
    eventually(lambda: rest.find("CP", key).body["state"] == "stopped")
    assert transactions(rest, key) == recorded(charger)
    assert recorded(charger)[0]["stoppedAt"] is not None


def test_a_start_that_has_not_arrived_is_unknown_and_so_is_one_of_another_charger(
    rest: Rest, plug: type_of_plug
) -> None:
    plug(Behaviour("CP"))
    key = str(uuid4())
    for charger in ("CP", "NOBODY"):
        assert rest.find(charger, key).outcome == (404, "connection-unknown")
    assert rest.connect("CP", key=key).outcome == (200, "Accepted")
    assert rest.find("NOBODY", key).outcome == (404, "connection-unknown")


def test_the_states_of_a_start_without_a_transaction(rest: Rest, plug: type_of_plug) -> None:
    def state(charger: str, wait: int = 20) -> tuple[str, str | None]:
        key = str(uuid4())
        rest.connect(charger, key=key, wait=wait)
        body = rest.find(charger, key).body
        return body["state"], body["result"] and body["result"]["status"]

    plug(Behaviour("CP", cable=False))
    plug(Behaviour("REJECTS", reaction=Reaction.REJECT))
    plug(Behaviour("SILENT", reaction=Reaction.SILENT))
    assert state("CP-3") == ("not-sent", None)
    assert state("SILENT", wait=1) == ("sent", None)
    assert state("CP") == ("answered", "Accepted")
    assert state("REJECTS") == ("answered", "Rejected")


@VERSIONS
def test_a_charge_is_found_although_the_answer_to_its_start_got_lost(
    rest: Rest, plug: type_of_plug, version: str
) -> None:
    charger = plug(Behaviour("CP", version=version, reaction=Reaction.DROP, charge_seconds=60))
    key = str(uuid4())
    assert rest.connect("CP", key=key).outcome == (504, "no-answer")
    eventually(lambda: transactions(rest, key))
    assert rest.find("CP", key).body["state"] == "started"
    assert transactions(rest, key) == recorded(charger)


@VERSIONS
def test_a_late_charge_point_charges_before_it_answers(rest: Rest, plug: type_of_plug, version: str) -> None:
    charger = plug(
        Behaviour("CP", version=version, reaction=Reaction.LATE, charge_seconds=60, late_seconds=3)
    )
    key = str(uuid4())
    assert rest.connect("CP", key=key, wait=1).status in (200, 504)  # 2.0.1: the transaction names the start
    eventually(lambda: transactions(rest, key))
    assert transactions(rest, key) == recorded(charger)
    assert rest.connect("CP", key=key).status == 200
    assert len(charger.starts) == 1


def test_the_times_are_those_of_the_charge_points_clock(rest: Rest, plug: type_of_plug) -> None:
    behaviour = Behaviour("CP", version="2.0.1", clock_offset=3600, charge_seconds=60)
    charger = plug(behaviour)
    key = str(uuid4())
    rest.connect("CP", key=key)
    eventually(lambda: transactions(rest, key))
    assert transactions(rest, key) == recorded(charger)
    assert transactions(rest, key)[0]["startedAt"] > now(1800)


class TestVersion16:
    """OCPP 1.6 names no start: charger, token, connector and time must fit exactly one."""

    def begin(self, charger: Scripted, **changes: Any) -> int:
        payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now(), **changes}
        id_: int = charger.call("StartTransaction", payload)[2]["transactionId"]
        return id_

    def start(self, rest: Rest, charger: Scripted, status: str = "Accepted", **asked: Any) -> str:
        key = str(uuid4())
        answer = lambda unique_id: charger.answer(unique_id, {"status": status})  # noqa: E731
        start(rest, charger, answer, key=key, **asked)
        return key

    def found(self, rest: Rest, key: str) -> list[str]:
        return [one["id"] for one in transactions(rest, key)]

    def test_the_only_start_that_fits_has_caused_it(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key, other = self.start(rest, charger), self.start(rest, charger, token="OTHER")
            id_ = self.begin(charger)
        assert (self.found(rest, key), self.found(rest, other)) == ([str(id_)], [])

    @pytest.mark.parametrize(
        "changes",
        [
            {"idTag": "tag"},
            {"connectorId": 2},
            {"timestamp": now(-120)},
            {"timestamp": now(3600)},
        ],
    )
    def test_another_token_connector_or_time_does_not_fit(
        self, csms: Csms, rest: Rest, changes: dict[str, Any]
    ) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key = self.start(rest, charger, connector=1)
            self.begin(charger, **changes)
        assert self.found(rest, key) == []

    def test_a_start_without_a_connector_fits_any(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key = self.start(rest, charger)
            id_ = self.begin(charger, connectorId=2)
        assert self.found(rest, key) == [str(id_)]

    def test_of_two_starts_that_fit_none_has_certainly_caused_it(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            keys = [self.start(rest, charger), self.start(rest, charger)]
            self.begin(charger)
        assert [self.found(rest, key) for key in keys] == [[], []]

    def test_a_rejected_start_and_one_with_a_transaction_do_not_fit(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            rejected, first = self.start(rest, charger, "Rejected"), self.start(rest, charger)
            ids = [self.begin(charger)]
            second = self.start(rest, charger)
            ids.append(self.begin(charger, meterStart=1))
        assert self.found(rest, rejected) == []
        assert self.found(rest, first) + self.found(rest, second) == [str(id_) for id_ in ids]

    def test_a_card_at_the_charger_after_the_charge_is_not_the_starts(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key = self.start(rest, charger)
            id_ = self.begin(charger)
            assert self.begin(charger, meterStart=1) != id_
        assert self.found(rest, key) == [str(id_)]

    def test_a_repeated_message_keeps_its_id(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key, at = self.start(rest, charger), now()
            ids = {self.begin(charger, timestamp=at) for _ in range(3)}
        assert self.found(rest, key) == [str(id_) for id_ in ids]

    def test_a_time_that_cannot_be_parsed_is_the_time_of_arrival(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            key = self.start(rest, charger)
            self.begin(charger, timestamp="yesterday")
        (transaction,) = transactions(rest, key)
        assert now(-600) < transaction["startedAt"] < now(1)


class TestVersion201:
    def event(self, charger: Scripted, number: int | None, kind: str, **changes: Any) -> None:
        info = {"transactionId": "t"} | ({"remoteStartId": number} if number else {})
        event = {
            "eventType": kind,
            "timestamp": now(),
            "triggerReason": "RemoteStart",
            "seqNo": 0,
            "transactionInfo": info,
            **changes,
        }
        assert charger.call("TransactionEvent", event)[0] == 3

    def test_messages_in_the_wrong_order_describe_one_charge(self, csms: Csms, rest: Rest) -> None:
        key = str(uuid4())
        with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger:
            start(rest, charger, lambda id_: charger.answer(id_, {"status": "Accepted"}), key=key)
            self.event(charger, None, "Ended", timestamp="2026-01-01T02:00:00+01:00")
            assert transactions(rest, key) == []
            number = remote_start_id(key)
            self.event(charger, number, "Started", timestamp="2026-01-01T00:30:00", evse={"id": 3})
        assert rest.find("CP", key).body["state"] == "stopped"
        assert transactions(rest, key) == [
            {
                "id": "t",
                "connectorId": 3,
                "startedAt": "2026-01-01T00:30:00.000Z",
                "stoppedAt": "2026-01-01T01:00:00.000Z",
            }
        ]

    def test_two_charges_of_one_start_are_both_listed(self, csms: Csms, rest: Rest) -> None:
        key = str(uuid4())
        with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger:
            start(rest, charger, lambda id_: charger.answer(id_, {"status": "Accepted"}), key=key)
            for id_ in ("t", "u"):
                info = {"transactionId": id_, "remoteStartId": remote_start_id(key)}
                self.event(charger, None, "Started", transactionInfo=info)
        assert [one["id"] for one in transactions(rest, key)] == ["t", "u"]

    def test_a_charge_that_names_no_start_is_nobodys(self, csms: Csms, rest: Rest) -> None:
        key = str(uuid4())
        with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger:
            start(rest, charger, lambda id_: charger.answer(id_, {"status": "Accepted"}), key=key)
            self.event(charger, None, "Started", idToken={"idToken": "TAG", "type": "Central"})
        assert transactions(rest, key) == []


class TestAnOlderFile:
    """A database that was written before transactions were recorded."""

    SCHEMA = (
        "CREATE TABLE connection (id TEXT PRIMARY KEY, charger TEXT NOT NULL, token TEXT NOT NULL, remote_start_id INTEGER"
        " NOT NULL, state TEXT NOT NULL, result TEXT, created REAL NOT NULL) WITHOUT ROWID"
    )

    @pytest.fixture
    def keys(self) -> dict[str, str]:
        return {state: str(uuid4()) for state in ("sent", "not-sent")}

    @pytest.fixture
    def options(self, tmp_path: Path, keys: dict[str, str]) -> Options:
        file = tmp_path / "csms.db"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(self.SCHEMA)
            for state, key in keys.items():
                row = (key, "CP", "0" * 64, remote_start_id(key), state, None, time.time())
                database.execute("INSERT INTO connection VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return Options(database=str(file), known=("CP",))

    def test_is_read_and_its_starts_are_found_and_stopped(
        self, csms: Csms, rest: Rest, keys: dict[str, str]
    ) -> None:
        assert rest.find("CP", keys["not-sent"]).body["state"] == "not-sent"
        with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger:
            TestVersion201().event(charger, remote_start_id(keys["sent"]), "Started")
        assert rest.find("CP", keys["sent"]).body["state"] == "started"
        assert rest.stop("CP", keys["not-sent"]).body["stop"]["info"] == "nothing-started"

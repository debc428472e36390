"""The simulator of SteVe lists and stops transactions as a real one was seen to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from local.chargers import Behaviour, ChargePoint, Reaction
from local.ocppj import now
from local.simulators import Steve
from local.simulators.steve import START, STOP, TRANSACTIONS
from tests.integration.dialects.link_client import running_simulator
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.simulators import Simulator

NOT_ACTIVE = (400, "This transaction is not active at this station.")
NO_STATIONS = (400, "No stations are eligible")


class Site:
    """One SteVe, and its charge points."""

    def __init__(self, model: Steve, simulator: Simulator, points: dict[str, ChargePoint]) -> None:
        self.model = model
        self.points = points
        self._port = simulator.port

    def send(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=20)) as connection:
            connection.request(method, target, json.dumps(body) if body else None)
            response = connection.getresponse()
            text = response.read()
            is_json = response.headers.get("Content-Type") == "application/json"
            return response.status, json.loads(text) if is_json else text

    def query(self, **parameters: Any) -> tuple[int, Any]:
        return self.send("GET", f"{TRANSACTIONS}?{urlencode(parameters)}")

    def ids(self, **parameters: Any) -> list[int]:
        status, rows = self.query(**({"type": "ALL"} | parameters))
        assert status == 200
        return [row["id"] for row in rows]

    def start(self, charger: str = "CP", tag: str = "TAG1") -> Any:
        body = {"chargeBoxIdList": [charger], "idTag": tag, "connectorId": 1}
        return self.send("POST", START, body)[1]

    def stop(self, transaction: Any, charger: str = "CP") -> tuple[int, Any]:
        return self.send("POST", STOP, {"chargeBoxIdList": [charger], "transactionId": transaction})

    def refused(self, transaction: Any, charger: str = "CP") -> tuple[int, str]:
        status, body = self.stop(transaction, charger)
        return status, body["message"]


@contextmanager
def site(*behaviours: Behaviour) -> Iterator[Site]:
    model = Steve(timeout=2.0)
    with running_simulator(model, *behaviours) as (simulator, points):
        yield Site(model, simulator, points)


@pytest.fixture
def filled() -> Iterator[Site]:
    """Four transactions, without a charge point; the second one has ended."""
    with site() as steve:
        add = steve.model.transactions.add
        add("CP", "TAG1", 1, "2026-11-20T09:00:00.000Z")
        add("CP", "TAG1", 2, "2026-11-20T10:00:00.000Z", "2026-11-20T10:30:00.000Z")
        add("CP", "OTHER", 1, "2026-11-20T11:00:00.000Z")
        add("CP-2", "TAG1", 1, "2026-11-20T12:00:00.000Z")
        yield steve


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({"type": "ALL"}, [4, 3, 2, 1]),
        ({"type": "ACTIVE"}, [4, 3, 1]),
        ({"type": "STOPPED"}, [2]),
        ({"chargeBoxId": "CP"}, [3, 2, 1]),
        ({"ocppIdTag": "tag1"}, [4, 2, 1]),
        ({"connectorId": "2"}, [2]),
        ({"transactionPk": "3"}, [3]),
        ({"unknown": "x"}, [4, 3, 2, 1]),
        ({"from": "2026-11-20T10:00:00Z", "to": "2026-11-20T11:00:00Z"}, [4, 3, 2, 1]),
        ({"periodType": "FROM_TO", "from": "2026-11-20T10:00:00Z", "to": "2026-11-20T11:00:00Z"}, [3, 2]),
        ({"periodType": "FROM_TO", "from": "2026-11-20T10:00:00", "to": "2026-11-20T12:30:00+01:00"}, [3, 2]),
        ({"periodType": "LAST_10", "chargeBoxId": "NOBODY"}, []),
    ],
)
def test_the_parameters_select_rows_and_the_newest_id_is_first(
    filled: Site, parameters: dict[str, str], ids: list[int]
) -> None:
    assert filled.ids(**parameters) == ids


def test_without_a_type_the_active_ones_are_listed(filled: Site) -> None:
    assert [row["id"] for row in filled.query()[1]] == [4, 3, 1]


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "all"},
        {"periodType": "YESTERDAY"},
        {"periodType": "FROM_TO"},
        {"periodType": "FROM_TO", "from": "2026-11-20T10:00:00Z"},
        {"periodType": "FROM_TO", "from": "2026-11-20T10:00:00Z", "to": "2026-11-20T10:00:00Z"},
        {"periodType": "FROM_TO", "from": "2026-11-20", "to": "2026-11-21"},
        {"periodType": "FROM_TO", "from": "2026-11-20T10:00:00Z", "to": "T"},
        {"connectorId": "x"},
        {"transactionPk": "x"},
        {"returnCSV": "true"},
    ],
)
def test_bad_values_are_declined(filled: Site, parameters: dict[str, str]) -> None:
    assert filled.query(**parameters)[0] == 400


def test_while_the_database_fails_nothing_is_listed_or_stopped(filled: Site) -> None:
    filled.model.database_down = True
    assert filled.query(type="ALL")[0] == 500
    assert filled.stop(1)[0] == 500


def test_a_row_has_the_members_of_steves_and_agrees_with_the_charge_points_record() -> None:
    with site(Behaviour("CP", charge_seconds=60, clock_offset=-3600)) as steve:
        assert steve.start(tag="Tag1")["successResponses"] == [{"chargeBoxId": "CP", "response": "Accepted"}]
        eventually(lambda: steve.ids())
        (own,) = steve.points["CP"].transactions
        (row,) = steve.query(chargeBoxId="CP")[1]
        assert row == {
            "id": 1,
            "connectorId": 1,
            "chargeBoxPk": 1,
            "ocppTagPk": 1,
            "chargeBoxId": "CP",
            "ocppIdTag": "Tag1",
            "startTimestamp": own.started_at,
            "startValue": "0",
            "stopTimestamp": None,
            "stopValue": None,
            "stopReason": None,
            "stopEventActor": None,
        }
        assert row["startTimestamp"] < now(-3000)
        own.stop_requested.set()
        (row,) = eventually(lambda: steve.query(type="STOPPED")[1])
        stopped = {name: row[name] for name in row if name.startswith("stop")}
        assert stopped == {
            "stopTimestamp": own.stopped_at,
            "stopValue": "1000",
            "stopReason": "Remote",
            "stopEventActor": "station",
        }


def test_a_charge_point_that_drops_its_socket_reports_its_transaction_once() -> None:
    with site(Behaviour("CP", reaction=Reaction.DROP, charge_seconds=60)) as steve:
        assert steve.start()["taskFinished"] is False
        eventually(lambda: steve.ids())
        steve.points["CP"].disconnect()
        eventually(lambda: steve.points["CP"].connected)
        assert steve.ids() == [1]


class TestStop:
    def test_the_charge_point_stops_and_its_own_record_agrees(self) -> None:
        with site(Behaviour("CP", charge_seconds=60)) as steve:
            steve.start()
            (id_,) = eventually(lambda: steve.ids())
            eventually(lambda: steve.points["CP"].transactions[0].number == id_)
            status, body = steve.stop(id_)
            assert (status, body["taskFinished"]) == (200, True)
            assert body["successResponses"] == [{"chargeBoxId": "CP", "response": "Accepted"}]
            (row,) = eventually(lambda: steve.query(type="STOPPED")[1])
            assert row["stopTimestamp"] == steve.points["CP"].transactions[0].stopped_at
            assert steve.refused(id_) == NOT_ACTIVE

    def test_a_late_charge_point_answers_the_stop_before_the_start(self) -> None:
        late = Behaviour("CP", reaction=Reaction.LATE, charge_seconds=60)
        with site(late) as steve, ThreadPoolExecutor(1) as pool:
            start = pool.submit(steve.start)
            (id_,) = eventually(lambda: steve.ids())
            eventually(lambda: steve.points["CP"].transactions[0].number == id_)
            assert steve.stop(id_)[1]["successResponses"] == [{"chargeBoxId": "CP", "response": "Accepted"}]
            eventually(lambda: steve.points["CP"].transactions[0].stopped_at)
            assert start.result()["taskFinished"] is False
            answered = [
                one.action for one in steve.points["CP"].messages if one.sent and one.kind == "result"
            ]
            assert answered == ["RemoteStopTransaction"]

    def test_a_transaction_that_the_charge_point_does_not_know_is_rejected(self) -> None:
        with site(Behaviour("CP")) as steve:
            id_ = steve.model.transactions.add("CP", "TAG1", 1, now())
            assert steve.stop(id_)[1]["successResponses"] == [{"chargeBoxId": "CP", "response": "Rejected"}]

    def test_what_is_declined_before_the_charge_point_receives_a_call(self) -> None:
        with site(Behaviour("CP"), Behaviour("CP-2"), Behaviour("OFFLINE", online=False)) as steve:
            id_ = steve.model.transactions.add("CP", "TAG1", 1, now())
            away = steve.model.transactions.add("OFFLINE", "TAG1", 1, now())
            assert steve.refused(id_, "CP-2") == NOT_ACTIVE
            assert steve.refused(99) == NOT_ACTIVE
            for charger in ("OFFLINE", "offline", "NOBODY"):
                status, text = steve.refused(away, charger)
                assert (status, text[:24]) == NO_STATIONS
            for bad in ("1", None, True, 1.5):
                assert steve.refused(bad) == (400, "Error understanding the request")
            assert steve.stop(2**31)[0] == 500
            assert steve.send("GET", STOP)[0] == 403
            assert steve.send("POST", TRANSACTIONS, {})[0] == 403


class TestFaults:
    def test_a_row_may_appear_late_or_never(self, filled: Site) -> None:
        filled.model.transactions.missing.add(4)
        assert filled.ids() == [3, 2, 1]
        filled.model.transactions.lag = 600
        assert filled.ids() == []
        filled.model.transactions.lag = 0
        filled.model.transactions.missing.clear()
        assert filled.ids() == [4, 3, 2, 1]

    def test_the_order_may_be_wrong(self, filled: Site) -> None:
        filled.model.transactions.oldest_first = True
        assert filled.ids() == [1, 2, 3, 4]

    def test_another_drivers_row_may_be_returned(self, filled: Site) -> None:
        filled.model.transactions.ignores_filters = True
        assert filled.ids(chargeBoxId="CP", ocppIdTag="TAG1") == [4, 3, 2, 1]

    def test_ids_begin_again_in_a_rebuilt_database(self, filled: Site) -> None:
        filled.model.transactions.clear()
        assert filled.ids() == []
        assert filled.model.transactions.add("CP", "TAG1", 1, now()) == 1

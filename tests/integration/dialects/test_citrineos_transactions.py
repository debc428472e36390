"""The simulator of CitrineOS names, returns and stops transactions as a real one was seen to."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from local.chargers import Behaviour, ChargePoint
from local.simulators import CitrineOS
from tests.integration.dialects.link_client import running_simulator
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.simulators import Simulator

PATHS = {
    "1.6": ("/ocpp/1.6/evdriver/remoteStartTransaction", "/ocpp/1.6/evdriver/remoteStopTransaction"),
    "2.0.1": ("/ocpp/2.0.1/evdriver/requestStartTransaction", "/ocpp/2.0.1/evdriver/requestStopTransaction"),
}
START = {
    "1.6": {"idTag": "TAG1", "connectorId": 1},
    "2.0.1": {"idToken": {"idToken": "TAG1", "type": "Central"}, "remoteStartId": 7, "evseId": 1},
}
PUBLISHED = (200, [{"success": True}])
VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


class Site:
    """One CitrineOS, its charge point, and the bodies that it posted to the callback URL."""

    def __init__(self, simulator: Simulator, point: ChargePoint, stack: ExitStack) -> None:
        self.point = point
        self.callbacks: list[Any] = []
        self._port = simulator.port
        callbacks = self.callbacks

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                callbacks.append(json.loads(self.rfile.read(length)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        self._callback_url = f"http://127.0.0.1:{server.server_port}/x"

    def send(self, method: str, path: str, query: dict[str, Any], body: Any = None) -> tuple[int, Any]:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=20)) as connection:
            connection.request(method, f"{path}?{urlencode(query)}", json.dumps(body) if body else None)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None

    def publish(self, path: str, body: Any, identifier: str = "CP") -> tuple[int, Any]:
        query = {"identifier": identifier, "tenantId": 1, "callbackUrl": self._callback_url}
        return self.send("POST", path, query, body)

    def start(self, version: str) -> Any:
        """Return the body of the callback, once the charge point has its transaction's id."""
        assert self.publish(PATHS[version][0], START[version]) == PUBLISHED
        body = eventually(lambda: self.callbacks)[0]
        eventually(lambda: self.point.id_of(self.point.transactions[0]))
        self.callbacks.clear()
        return body

    def read(self, id_: str, station: str = "CP") -> tuple[int, Any]:
        query = {"tenantId": 1, "stationId": station, "transactionId": id_}
        return self.send("GET", "/data/transactions/transaction", query)


@pytest.fixture
def behaviour(version: str) -> Behaviour:
    return Behaviour("CP", version=version, charge_seconds=60)


@pytest.fixture
def site(behaviour: Behaviour) -> Iterator[Site]:
    with running_simulator(CitrineOS(), behaviour) as (simulator, points), ExitStack() as stack:
        yield Site(simulator, points["CP"], stack)


@VERSIONS
def test_a_transaction_is_returned_by_its_id_and_stopped(site: Site, version: str) -> None:
    body = site.start(version)
    (own,) = site.point.transactions
    id_ = site.point.id_of(own)
    assert body == {"status": "Accepted"} | ({"transactionId": id_} if version == "2.0.1" else {})
    status, row = eventually(lambda: (found := site.read(id_))[1] and found)
    assert (status, row["isActive"], row["startTime"], row["endTime"]) == (200, True, own.started_at, None)
    assert row["remoteStartId"] == (7 if version == "2.0.1" else None)
    wanted = int(id_) if version == "1.6" else id_
    assert site.publish(PATHS[version][1], {"transactionId": wanted}) == PUBLISHED
    assert eventually(lambda: site.callbacks) == [{"status": "Accepted"}]
    eventually(lambda: site.read(id_)[1]["isActive"] is False)
    row = site.read(id_)[1]
    assert (row["endTime"], row["stoppedReason"]) == (own.stopped_at, "Remote")


@pytest.mark.parametrize(("version", "unknown"), [("1.6", 99), ("2.0.1", "no such")])
def test_a_stop_of_an_unknown_transaction_is_rejected_in_the_callback(
    site: Site, version: str, unknown: object
) -> None:
    assert site.publish(PATHS[version][1], {"transactionId": unknown}) == PUBLISHED
    assert eventually(lambda: site.callbacks) == [{"status": "Rejected"}]


@VERSIONS
def test_what_is_declined_at_once(site: Site, version: str) -> None:
    stop = PATHS[version][1]
    wrong = "x" if version == "1.6" else 5
    for body in ({}, {"transactionId": wrong}, [1]):
        assert site.publish(stop, body)[1]["code"] == "FST_ERR_VALIDATION"
    id_ = 5 if version == "1.6" else "x"
    (declined,) = site.publish(stop, {"transactionId": id_}, "NOPE")[1]
    assert declined["payload"].startswith("No connection found for identifier")
    other = "2.0.1" if version == "1.6" else "1.6"
    (declined,) = site.publish(PATHS[other][1], {"transactionId": 5 if other == "1.6" else "x"})[1]
    assert declined["payload"].startswith("Requested protocol")
    assert site.callbacks == []


@pytest.mark.parametrize("version", ["2.0.1"])
def test_an_unknown_transaction_is_an_empty_response(site: Site, version: str) -> None:
    body = site.start(version)
    assert site.read("no such") == (200, None)
    assert site.read(body["transactionId"], "OTHER") == (200, None)
    assert site.send("GET", "/data/transactions/transaction", {"stationId": "CP"})[0] == 400


class TestWithoutACable:
    @pytest.fixture
    def behaviour(self, version: str) -> Behaviour:
        return Behaviour("CP", version=version, cable=False)

    @pytest.mark.parametrize("version", ["2.0.1"])
    def test_the_accepted_start_names_no_transaction(self, site: Site, version: str) -> None:
        assert site.publish(PATHS[version][0], START[version]) == PUBLISHED
        assert eventually(lambda: site.callbacks) == [{"status": "Accepted"}]

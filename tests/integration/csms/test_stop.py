"""DELETE of a start: it starts nothing from then on, and what it started is stopped."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.chargers import Behaviour, Reaction
from local.csms import Csms, Options, transactions
from local.ocppj import now
from tests.integration.csms.client import Rest, RestResponse, Scripted
from tests.integration.csms.test_ocpp import start
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.csms.conftest import type_of_plug

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1"])
STOPPED = (409, "id-stopped")


def stop_of(reply: RestResponse) -> tuple[int, str, str | None, str]:
    """Return status code, status and info of a stop, and the state of the start."""
    body = reply.body
    assert body["cancelled"]
    return reply.status, body["stop"]["status"], body["stop"]["info"], body["state"]


def state(rest: Rest, key: str) -> str:
    return str(rest.find("CP", key).body["state"])


@VERSIONS
def test_a_running_charge_is_stopped_and_the_charge_points_record_agrees(
    rest: Rest, plug: type_of_plug, version: str
) -> None:
    charger = plug(Behaviour("CP", version=version, charge_seconds=60))
    key = str(uuid4())
    rest.connect("CP", key=key)
    eventually(lambda: state(rest, key) == "started")
    status, answer, info, _ = stop_of(rest.stop("CP", key))
    assert (status, answer, info) == (200, "Accepted", None)
    eventually(lambda: state(rest, key) == "stopped")
    (transaction,) = charger.transactions
    assert rest.find("CP", key).body["transactions"][0]["stoppedAt"] == transaction.stopped_at
    assert stop_of(rest.stop("CP", key)) == (200, "Accepted", "already-stopped", "stopped")
    assert rest.connect("CP", key=key).outcome == STOPPED
    eventually(lambda: rest.status("CP").body["status"] == "Available")
    assert len(charger.starts) == 1


def test_an_id_that_is_not_known_yet_starts_nothing_afterwards(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(Behaviour("CP"))
    for name in ("CP", "NOBODY"):
        key = str(uuid4())
        assert stop_of(rest.stop(name, key.upper())) == (200, "Accepted", "nothing-started", "not-sent")
        assert rest.find(name, key).body == {
            "id": key,
            "chargerId": name,
            "state": "not-sent",
            "cancelled": True,
            "result": None,
            "transactions": [],
        }
        assert rest.connect("CP", key=key).outcome == STOPPED
    assert charger.starts == []


def test_an_id_of_another_charger_is_not_stopped(csms: Csms, rest: Rest, plug: type_of_plug) -> None:
    plug(Behaviour("CP", charge_seconds=60))
    key, unknown = str(uuid4()), str(uuid4())
    rest.connect("CP", key=key)
    assert send_stop(csms, "OTHER", key) == (409, "/problems/id-reused")
    assert not rest.find("CP", key).body["cancelled"]
    rest.stop("CP", unknown)
    assert send_stop(csms, "OTHER", unknown) == (409, "/problems/id-reused")
    assert send_stop(csms, "CP", "x") == (400, "/problems/invalid-request")


def send_stop(csms: Csms, charger: str, key: str) -> tuple[int, str]:
    """Return status code and problem type. The file documents DELETE for valid requests only."""
    with closing(HTTPConnection("127.0.0.1", csms.rest_port, timeout=20)) as connection:
        connection.request("DELETE", f"/api/v1/chargers/{charger}/connections/{key}")
        response = connection.getresponse()
        return response.status, json.loads(response.read())["type"]


def test_a_start_that_was_not_sent_or_was_rejected_started_nothing(rest: Rest, plug: type_of_plug) -> None:
    plug(Behaviour("CP", reaction=Reaction.REJECT))
    key = str(uuid4())
    assert rest.connect("CP", key=key).outcome == (200, "Rejected")
    assert stop_of(rest.stop("CP", key)) == (200, "Accepted", "nothing-started", "answered")
    key = str(uuid4())
    assert rest.connect("CP-3", key=key).outcome == (200, "Unavailable")
    assert stop_of(rest.stop("CP-3", key)) == (200, "Accepted", "nothing-started", "not-sent")


def test_a_start_that_waits_for_a_busy_charger_is_never_sent(csms: Csms, rest: Rest) -> None:
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(2) as pool:
        calls = charger.calls()
        first = pool.submit(rest.connect, "CP", "FIRST")
        unique_id = next(calls)[0]
        waiting = pool.submit(rest.connect, "CP", "SECOND", key)
        eventually(lambda: rest.find("CP", key).status == 200)
        assert stop_of(rest.stop("CP", key)) == (200, "Accepted", "nothing-started", "not-sent")
        charger.answer(unique_id, {"status": "Rejected"})
        assert first.result().outcome == (200, "Rejected")
        assert waiting.result().outcome == STOPPED
        with pytest.raises(TimeoutError):
            charger.socket.recv(timeout=0.3)


@VERSIONS
def test_a_transaction_that_appears_after_the_stop_is_stopped_at_once(
    rest: Rest, plug: type_of_plug, version: str
) -> None:
    charger = plug(Behaviour("CP", version=version, reaction=Reaction.SILENT, charge_seconds=60))
    key = str(uuid4())
    assert rest.connect("CP", key=key, wait=1).outcome == (504, "no-answer")
    assert stop_of(rest.stop("CP", key)) == (200, "Accepted", "stop-recorded", "sent")
    assert charger.transactions == []
    charger.behaviour.reaction = Reaction.ACCEPT
    eventually(lambda: state(rest, key) == "stopped")
    assert [one.stop_requested.is_set() for one in charger.transactions] == [True]


class Begun:
    """A charge of OCPP 1.6 that runs, at a charge point that sends exactly what the test defines."""

    def __init__(self, rest: Rest, charger: Scripted) -> None:
        self.rest, self.charger, self.key = rest, charger, str(uuid4())
        accept = lambda unique_id: charger.answer(unique_id, {"status": "Accepted"})  # noqa: E731
        start(rest, charger, accept, key=self.key)
        payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now()}
        self.id = charger.call("StartTransaction", payload)[2]["transactionId"]

    def stop(self, respond: Any, wait: int = 20) -> RestResponse:
        with ThreadPoolExecutor(1) as pool:
            reply = pool.submit(self.rest.stop, "CP", self.key, wait)
            unique_id, action, payload = next(self.charger.calls())
            assert (action, payload) == ("RemoteStopTransaction", {"transactionId": self.id})
            respond(unique_id)
            return reply.result()

    def end(self) -> None:
        payload = {"transactionId": self.id, "meterStop": 1, "timestamp": now()}
        self.charger.call("StopTransaction", payload)


def test_what_the_charger_answers_to_the_stop_is_returned(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger:
        begun = Begun(rest, charger)
        for status in ("Rejected", "Accepted"):
            reply = begun.stop(lambda id_, status=status: charger.answer(id_, {"status": status}))
            assert stop_of(reply) == (200, status, None, "started")
        not_supported = begun.stop(lambda id_: charger.fail(id_, "NotSupported"))
        assert stop_of(not_supported) == (200, "Rejected", None, "started")
        failed = begun.stop(lambda id_: charger.fail(id_, "InternalError"))
        assert failed.outcome == (504, "no-answer")
        assert "stop" in failed.body["detail"]
        assert begun.stop(lambda _: None, wait=1).outcome == (504, "no-answer")
    eventually(lambda: rest.status("CP").outcome == (200, "Unavailable"))
    assert stop_of(rest.stop("CP", begun.key)) == (200, "Unavailable", None, "started")


def test_a_rejected_stop_of_a_charge_that_has_just_ended_is_already_stopped(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger:
        begun = Begun(rest, charger)

        def end_and_reject(unique_id: str) -> None:
            begun.end()
            charger.answer(unique_id, {"status": "Rejected"})

        assert stop_of(begun.stop(end_and_reject)) == (200, "Accepted", "already-stopped", "stopped")


def test_a_stop_that_cannot_be_sent_within_its_wait_is_reported_so(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
        begun = Begun(rest, charger)
        busy = pool.submit(rest.connect, "CP", "OTHER")
        unique_id = next(charger.calls())[0]
        reply = rest.stop("CP", begun.key, wait=1)
        assert (reply.outcome, "retry-after" in reply.headers) == ((503, "stop-not-sent"), True)
        charger.answer(unique_id, {"status": "Rejected"})
        assert busy.result().outcome == (200, "Rejected")
        accept = begun.stop(lambda id_: charger.answer(id_, {"status": "Accepted"}))
        assert stop_of(accept) == (200, "Accepted", None, "started")


def test_a_rejected_stop_without_a_caller_is_sent_again_until_the_charge_has_ended(
    csms: Csms, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "RETRY_SECONDS", 0.05)
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP") as charger:
        start(rest, charger, lambda id_: charger.answer(id_, {"status": "Accepted"}), key=key)
        assert stop_of(rest.stop("CP", key)) == (200, "Accepted", "stop-recorded", "answered")
        payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now()}
        id_ = charger.call("StartTransaction", payload)[2]["transactionId"]
        calls = charger.calls()
        for status in ("Rejected", "Rejected", "Accepted"):
            unique_id, action, sent = next(calls)
            assert (action, sent) == ("RemoteStopTransaction", {"transactionId": id_})
            charger.answer(unique_id, {"status": status})


class TestTwoStopsAtOnce:
    @pytest.fixture
    def options(self) -> Options:
        return Options(call_timeout=5)

    def test_both_are_true(self, rest: Rest, plug: type_of_plug) -> None:
        plug(Behaviour("CP", charge_seconds=60))
        key = str(uuid4())
        rest.connect("CP", key=key)
        eventually(lambda: state(rest, key) == "started")
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: rest.stop("CP", key), range(4)))
        assert {reply.status for reply in replies} == {200}
        assert "Accepted" in {reply.body["stop"]["status"] for reply in replies}
        eventually(lambda: state(rest, key) == "stopped")

"""The REST response for each kind of OCPP message from a charger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.integration.csms.client import Rest, RestResponse, Scripted
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.csms import Csms


def start(rest: Rest, charger: Scripted, respond: Callable[[str], object], **fields: Any) -> RestResponse:
    """Request a start, let `respond` handle the incoming call, and return the REST response."""
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(lambda: rest.connect("CP", **fields))
        unique_id, action, _ = next(charger.calls())
        assert action in ("RemoteStartTransaction", "RequestStartTransaction")
        respond(unique_id)
        return reply.result()


REFUSING = [
    "NotImplemented",
    "NotSupported",
    "SecurityError",
    "FormationViolation",
    "FormatViolation",
    "ProtocolError",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "OccurrenceConstraintViolation",
    "TypeConstraintViolation",
]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("code", REFUSING)
def test_an_error_that_excludes_a_start_is_a_rejection(
    csms: Csms, rest: Rest, version: str, code: str
) -> None:
    with Scripted(csms.ocpp_url, "CP", version) as charger:
        reply = start(rest, charger, lambda unique_id: charger.fail(unique_id, code))
    assert (reply.outcome, reply.body["info"]) == ((200, "Rejected"), "not-supported")


@pytest.mark.parametrize("code", ["InternalError", "GenericError", "RpcFrameworkError", "Whatever"])
def test_any_other_error_leaves_the_outcome_unknown(csms: Csms, rest: Rest, code: str) -> None:
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP") as charger:
        reply = start(rest, charger, lambda unique_id: charger.fail(unique_id, code), key=key)
        assert reply.outcome == (504, "no-answer")
        assert rest.connect("CP", key=key, wait=1).outcome == (504, "no-answer")


@pytest.mark.parametrize("answer", [{"status": "Maybe"}, {}, {"status": 1}, [], None])
def test_an_answer_that_is_not_valid_ocpp_leaves_the_outcome_unknown(
    csms: Csms, rest: Rest, answer: Any
) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger:
        reply = start(rest, charger, lambda unique_id: charger.answer(unique_id, answer))
    assert reply.outcome == (504, "no-answer")


@pytest.mark.parametrize(
    ("reason", "info"),
    [
        (None, "charger-refused"),
        ("TxInProgress", "connector-busy TxInProgress"),
        ("InvalidIdToken", "token-refused InvalidIdToken"),
        ("NoCable", "charger-refused NoCable"),
    ],
)
def test_a_reason_of_ocpp_2_is_returned(csms: Csms, rest: Rest, reason: str | None, info: str) -> None:
    payload: dict[str, Any] = {"status": "Rejected"}
    if reason:
        payload["statusInfo"] = {"reasonCode": reason}
    with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger:
        reply = start(rest, charger, lambda unique_id: charger.answer(unique_id, payload))
    assert (reply.outcome, reply.body["info"]) == ((200, "Rejected"), info)


@pytest.mark.parametrize("status", ["Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_status_that_arrived_after_the_start_is_returned(csms: Csms, rest: Rest, status: str) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger:
        charger.report("Available")

        def respond(unique_id: str) -> None:
            charger.report(status, error_code="HighTemperature")
            charger.answer(unique_id, {"status": "Accepted"})

        reply = start(rest, charger, respond)
    assert reply.outcome == (200, status)
    assert (reply.body["connectorId"], reply.body["errorCode"]) == (1, "HighTemperature")


def test_a_status_from_before_the_start_or_of_another_connector_is_not(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger:
        charger.report("Charging", connector=1, error_code="GroundFailure")

        def respond(unique_id: str) -> None:
            charger.report("Charging", connector=2, error_code="GroundFailure")
            charger.answer(unique_id, {"status": "Accepted"})

        reply = start(rest, charger, respond, connector=1)
    assert reply.outcome == (200, "Accepted")
    assert (reply.body["connectorId"], reply.body["errorCode"]) == (1, "NoError")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Charging", "Charging"),
        ("EVConnected", "Preparing"),
        ("SuspendedEV", "SuspendedEV"),
        ("SuspendedEVSE", "SuspendedEVSE"),
        ("Idle", "Accepted"),
        (None, "Accepted"),
    ],
)
def test_a_transaction_with_the_remote_start_id_answers_for_a_silent_charger(
    csms: Csms, rest: Rest, state: str | None, status: str
) -> None:
    with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger, ThreadPoolExecutor(1) as pool:
        reply = pool.submit(rest.connect, "CP")
        _, _, payload = next(charger.calls())
        answer = charger.call("TransactionEvent", event(payload["remoteStartId"], state))
        assert answer[0] == 3
        assert reply.result().outcome == (200, status)
        assert reply.result().body["connectorId"] == 3


def test_a_transaction_with_another_remote_start_id_does_not(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP", "2.0.1") as charger, ThreadPoolExecutor(1) as pool:
        reply = pool.submit(rest.connect, "CP", wait=1)
        _, _, payload = next(charger.calls())
        charger.call("TransactionEvent", event(payload["remoteStartId"] ^ 1, "Charging"))
        assert reply.result().outcome == (504, "no-answer")


def event(remote_start_id: int, state: str | None) -> dict[str, Any]:
    info = {"transactionId": "t", "remoteStartId": remote_start_id} | (
        {"chargingState": state} if state else {}
    )
    return {
        "eventType": "Started",
        "timestamp": "2026-01-01T00:00:00Z",
        "triggerReason": "RemoteStart",
        "seqNo": 0,
        "transactionInfo": info,
        "evse": {"id": 3},
    }


class TestStatus:
    def test_the_charger_is_asked_and_its_answer_told(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
            charger.report("Available")
            reply = pool.submit(rest.status, "CP")
            unique_id, action, payload = next(charger.calls())
            assert (action, payload["requestedMessage"]) == ("TriggerMessage", "StatusNotification")
            charger.answer(unique_id, {"status": "Accepted"})
            charger.report("Faulted", error_code="GroundFailure")
            body = reply.result().body
            assert (body["status"], body["errorCode"]) == ("Faulted", "GroundFailure")

    @pytest.mark.parametrize("answer", ["Rejected", "NotImplemented"])
    def test_the_last_known_status_is_told_where_it_cannot_be_asked(
        self, csms: Csms, rest: Rest, answer: str
    ) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
            charger.report("Reserved")
            reply = pool.submit(rest.status, "CP")
            charger.answer(next(charger.calls())[0], {"status": answer})
            assert reply.result().outcome == (200, "Reserved")

    def test_a_charger_that_is_silent_to_the_question_counts_as_busy(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            charger.report("Available")
            assert rest.status("CP", Prefer="wait=1").outcome == (200, "Available")
            assert rest.connect("CP", wait=1).outcome == (503, "not-sent")
            unique_id, action, _ = next(charger.calls())
            assert action == "TriggerMessage"
            charger.answer(unique_id, {"status": "Rejected"})
            reply = start(rest, charger, lambda unique_id: charger.answer(unique_id, {"status": "Accepted"}))
            assert reply.outcome == (200, "Accepted")

    def test_the_charger_is_not_asked_after_a_start(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            charger.report("Available")
            start(rest, charger, lambda unique_id: charger.answer(unique_id, {"status": "Accepted"}))
            assert rest.status("CP").outcome == (200, "Available")
            with pytest.raises(TimeoutError):
                charger.socket.recv(timeout=0.2)

    def test_a_charger_that_told_nothing_has_no_status(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP"):
            assert rest.status("CP", Prefer="wait=1").outcome == (504, "status-unknown")

    def test_the_station_itself_answers_where_no_connector_has(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            charger.report("Available", connector=0)
            body = rest.status("CP", Prefer="wait=0").body
            assert (body["status"], body["connectorId"]) == ("Available", 0)


class TestWebSocket:
    def test_a_newer_one_replaces_the_older(self, csms: Csms, rest: Rest) -> None:
        with Scripted(csms.ocpp_url, "CP") as older, Scripted(csms.ocpp_url, "CP") as newer:
            with pytest.raises(ConnectionClosed):
                older.socket.recv(timeout=10)
            reply = start(rest, newer, lambda unique_id: newer.answer(unique_id, {"status": "Accepted"}))
            assert reply.outcome == (200, "Accepted")

    @pytest.mark.parametrize("path", ["/", "/other/CP", "/ocpp", "/ocpp/", "/ocpp/a/b", "/ocpp/%00"])
    def test_it_is_refused_at_any_other_path(self, csms: Csms, path: str) -> None:
        url = csms.ocpp_url.removesuffix("/ocpp") + path
        with (
            pytest.raises(InvalidStatus, match="404"),
            connect(url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None),
        ):
            pass

    def test_it_is_refused_without_a_version_spoken_here(self, csms: Csms) -> None:
        with (
            pytest.raises(InvalidStatus, match="400"),
            connect(f"{csms.ocpp_url}/CP", subprotocols=[Subprotocol("ocpp1.5")], proxy=None),
        ):
            pass

    @pytest.mark.parametrize(
        "frame", ["", "{}", "[]", "[9]", '[2,"1"]', "[3,[],{}]", "[4]", b"\x00\xff", '[2,"1",["x"],{}]']
    )
    def test_it_survives_what_is_no_ocpp(self, csms: Csms, rest: Rest, frame: str | bytes) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            charger.socket.send(frame)
            reply = start(rest, charger, lambda unique_id: charger.answer(unique_id, {"status": "Accepted"}))
            assert reply.outcome == (200, "Accepted")

    def test_a_call_that_is_not_known_or_not_valid_is_answered_with_its_error(self, csms: Csms) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            assert charger.call("Nonsense", {})[2] == "NotImplemented"
            assert charger.call("StatusNotification", {"status": "Available"})[2] == "ProtocolError"
            assert charger.call("Authorize", {"idTag": "x" * 21})[4] == {}

    def test_a_charger_that_leaves_before_it_answers_leaves_the_outcome_unknown(
        self, csms: Csms, rest: Rest
    ) -> None:
        with Scripted(csms.ocpp_url, "CP") as charger:
            assert start(rest, charger, lambda _: charger.socket.close()).outcome == (504, "no-answer")
        eventually(lambda: rest.connect("CP").outcome == (200, "Unavailable"))

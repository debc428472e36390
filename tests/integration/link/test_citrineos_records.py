"""Read and stop at CitrineOS: its replies over HTTP, and the bodies that it posts to the callback URL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import LinkError, OutcomeUnknown, Published
from charger_link.dialects import citrineos, registry
from common.remote_start import remote_start_id
from common.remote_start.transaction import Transaction
from tests.integration.link.finding import (
    BEGAN,
    CALLBACK_URL,
    CHARGER,
    ENDED,
    ID,
    Finder,
    summarize,
    transaction,
)
from tests.integration.link.test_link import BREAKS
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from tests.integration.misbehaving import Script

STOP = "/ocpp/2.0.1/evdriver/requestStopTransaction"
UUID = "1f9d6f0e-6d0b-4c0e-9a53-0a8fb4f9d8c1"


def row(**changes: Any) -> dict[str, Any]:
    members = {
        "id": 3, "stationId": CHARGER, "transactionId": UUID, "isActive": True, "chargingState": "Charging",
        "remoteStartId": remote_start_id(ID), "updatedAt": "2026-11-25T08:31:00.000Z",
    }  # fmt: skip
    return {**members, **changes}


def replies(body: Any, status: int = 200) -> Script:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return responds_with(status, data)


def declines(why: str) -> Script:
    return replies([{"success": False, "payload": why}])


@pytest.fixture
def citrine(server: Misbehaving) -> Finder:
    return Finder(server, "citrineos", tenant=7)


def test_it_has_nothing_to_search(citrine: Finder) -> None:
    assert citrine.find() is None
    assert citrine.server.requests == []


@pytest.mark.parametrize(
    ("changes", "started", "ended"),
    [
        ({}, None, None),
        ({"startTime": "2026-11-25T08:30:00Z", "endTime": None}, BEGAN, None),
        ({"startTime": "today"}, None, None),
        ({"remoteStartId": None}, None, None),
        ({"isActive": False}, None, ENDED),  # the row's last change
        ({"isActive": False, "endTime": "2026-11-25T08:30:00Z"}, None, BEGAN),
    ],
)
def test_a_transaction_is_read_by_station_and_id(
    changes: dict[str, Any], started: float | None, ended: float | None, citrine: Finder
) -> None:
    citrine.server.set_scripts(replies(row(**changes)))
    assert citrine.read(UUID) == Transaction(UUID, CHARGER, None, None, started, ended)
    assert citrine.requests == [("GET", "/data/transactions/transaction")]
    assert citrine.query == {"tenantId": "7", "stationId": CHARGER, "transactionId": UUID}


@pytest.mark.parametrize(
    "body", [b"", None, row(transactionId="another"), row(remoteStartId=remote_start_id(ID) + 1)]
)
def test_no_row_or_another_start_s_row_is_no_transaction(body: Any, citrine: Finder) -> None:
    citrine.server.set_scripts(replies(body))
    assert citrine.read(UUID) is None


@pytest.mark.parametrize(
    ("script", "summary"),
    [
        (replies({}), "OutcomeUnknown shape"),
        (replies([row()]), "OutcomeUnknown shape"),
        (replies(row(isActive=None)), "OutcomeUnknown shape"),
        (replies(row(stationId=None)), "OutcomeUnknown shape"),
        (replies(row(isActive=False, updatedAt=None)), "OutcomeUnknown shape"),
        (replies(b"<html>"), "OutcomeUnknown shape"),
        (replies({"statusCode": 404, "message": "Route not found"}, 404), "OutcomeUnknown http-404"),
        (replies({}, 500), "OutcomeUnknown http-500"),
        (replies({}, 403), "ServerRefused forbidden"),
        (replies({}, 401), "ServerRefused unauthorized"),
    ],
)
def test_whatever_is_no_row_says_nothing(script: Script, summary: str, citrine: Finder) -> None:
    citrine.server.set_scripts(script)
    assert summarize(citrine.read(UUID)) == summary


def test_a_stop_is_published_with_the_callback_s_url(citrine: Finder) -> None:
    citrine.server.set_scripts(replies([{"success": True}]))
    assert citrine.stop(transaction(UUID)) == Published()
    assert citrine.requests == [("POST", STOP)]
    assert citrine.query == {"identifier": CHARGER, "tenantId": "7", "callbackUrl": CALLBACK_URL}
    assert citrine.sent == {"transactionId": UUID}


@pytest.mark.parametrize(
    ("script", "summary"),
    [
        (replies([{"success": False}]), "Published"),  # queued
        (
            declines(f"No connection found for identifier: 1:{CHARGER}"),
            "Unavailable unknown-or-not-connected",
        ),
        (
            declines(
                "Requested protocol: 'ocpp2.0.1', connection protocol: 'ocpp1.6' for identifier: '1:CP1'"
            ),
            "ServerFailed version",
        ),
        (declines("RabbitMQ is down: cannot unsubscribe."), "ServerBusy busy"),
        (replies({"message": "Channel closed"}, 500), "ServerBusy busy"),
        (declines("Something else"), "OutcomeUnknown not-published"),
        (replies({"code": "FST_ERR_VALIDATION", "message": "x"}, 400), "ServerFailed unreadable"),
        (replies({}, 403), "ServerRefused forbidden"),
        (replies({}, 401), "ServerRefused unauthorized"),
        (replies([]), "OutcomeUnknown http-200"),
        (replies({}, 500), "OutcomeUnknown http-500"),
    ],
)
def test_each_reply_to_a_stop_has_its_outcome(script: Script, summary: str, citrine: Finder) -> None:
    citrine.server.set_scripts(script)
    assert summarize(citrine.stop(transaction(UUID))) == summary


def test_a_stop_whose_response_is_lost_may_be_published(citrine: Finder) -> None:
    citrine.server.set_scripts(BREAKS)
    stopped = citrine.stop(transaction(UUID))
    assert isinstance(stopped, Published)
    assert isinstance(stopped.failure, OutcomeUnknown)


def test_without_an_address_of_our_own_no_stop_is_sent(citrine: Finder) -> None:
    error = citrine.stop(transaction(UUID), callback_url=None)
    assert summarize(error) == "ServerFailed no-callback-url"
    assert isinstance(error, LinkError)
    assert citrine.server.requests == []


def test_without_a_transaction_nothing_is_stopped(citrine: Finder) -> None:
    assert citrine.stop() is None
    assert citrine.server.requests == []


def summary_of_callback(body: Any) -> str:
    read = registry.load("citrineos").read_stop_callback
    assert read is not None
    try:
        return summarize(read(body))
    except OutcomeUnknown as error:
        return summarize(error)


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ({"status": "Accepted"}, "Accepted null"),
        ({"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}, "Rejected null"),
        ({"_errorCode": "NotImplemented", "name": "OcppError"}, "Rejected not-supported NotImplemented"),
        ({"_errorCode": "InternalError", "name": "OcppError"}, "OutcomeUnknown call-error"),
        ({"_errorCode": None}, "OutcomeUnknown call-error"),
        ({"status": "accepted"}, "OutcomeUnknown status"),
        ({}, "OutcomeUnknown status"),
        ([], "OutcomeUnknown status"),
        (None, "OutcomeUnknown status"),
    ],
)
def test_each_callback_of_a_stop_is_read(body: Any, summary: str) -> None:
    assert summary_of_callback(body) == summary


def test_an_acceptance_carries_the_transaction_that_the_station_names() -> None:
    answer = citrineos.read_callback({"status": "Accepted", "transactionId": UUID}, 2)
    assert answer.transaction == Transaction(UUID, "", None, 2, None, None)
    assert "transaction" not in answer.record()


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Accepted"},
        {"status": "Accepted", "transactionId": None},
        {"status": "Accepted", "transactionId": 7},
        {"status": "Accepted", "transactionId": ""},
        {"status": "Accepted", "transactionId": "x" * 37},
        {"status": "Rejected", "transactionId": UUID},
        {"_errorCode": "NotSupported", "transactionId": UUID},
    ],
)
def test_any_other_answer_carries_none(body: dict[str, Any]) -> None:
    assert citrineos.read_callback(body, 1).transaction is None

"""Find, read and stop at SteVe: every reply that was observed at 3.14.1 and 38b299a149c6, and others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import Found, LinkError, OutcomeUnknown
from common.remote_start.transaction import Transaction
from tests.integration.link.finding import BEGAN, CHARGER, ENDED, Finder, summarize, transaction
from tests.integration.link.test_link import BREAKS
from tests.integration.misbehaving import Misbehaving, hangs, responds_with

if TYPE_CHECKING:
    from tests.integration.misbehaving import Script

TRANSACTIONS = "/steve/api/v1/transactions"
STOP = "/steve/api/v1/operations/RemoteStopTransaction"
SIGN_IN = "Location: http://127.0.0.1:8080/steve/manager/signin;jsessionid=A1B2"
NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
NOT_ACTIVE = "This transaction is not active at this station."
UNREAD = "Deserialization of incoming string failed: "
PAGE = b"<!doctype html><html></html>"


def row(id_: Any = 7, **changes: Any) -> dict[str, Any]:
    members = {
        "id": id_, "chargeBoxId": CHARGER, "chargeBoxPk": 1, "connectorId": 1, "ocppIdTag": "TAG1",
        "startTimestamp": "2026-11-25T08:30:00.000Z", "startValue": "0", "stopTimestamp": None, "stopReason": None,
    }  # fmt: skip
    return {**members, **changes}


ENDS = row(stopTimestamp="2026-11-25T08:31:00.000Z", stopReason="Remote")


def replies(body: Any, status: int = 200, kind: str = "application/json", *headers: str) -> Script:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return responds_with(status, data, kind, *headers)


def declines(message: str, status: int = 400) -> Script:
    error = {"timestamp": "2026-11-20T09:00:00.000Z", "status": status, "error": "Error", "message": message}
    return replies({**error, "path": "http://127.0.0.1:8080/steve/api/v1/x"}, status)


def task(**lists: dict[str, Any]) -> Script:
    listed = {name: [{"chargeBoxId": CHARGER, **entry}] for name, entry in lists.items()}
    empty: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}
    return replies({"taskId": 1, "taskFinished": bool(lists), **empty, **listed})


def responded(response: Any) -> Script:
    return task(successResponses={"response": response})


def errored(code: Any) -> Script:
    return task(errorResponses={"errorCode": code, "errorDescription": None, "errorDetails": None})


def excepted(message: str) -> Script:
    return task(exceptions={"exceptionMessage": message})


@pytest.fixture
def steve(server: Misbehaving) -> Finder:
    return Finder(server, "steve")


def rows(steve: Finder, *listed: Any) -> tuple[Transaction, ...]:
    steve.server.set_scripts(replies(list(listed)))
    found = steve.find()
    assert isinstance(found, Found), found
    return found.transactions


def test_a_search_names_the_charge_box_and_the_period_in_utc_without_a_zone(steve: Finder) -> None:
    steve.server.set_scripts(replies([]))
    assert steve.find(BEGAN - 60.25, BEGAN + 600.25, charger_id="CP 1/ä&x=") == Found()
    assert steve.requests == [("GET", TRANSACTIONS)]
    assert steve.query == {
        "type": "ALL",
        "chargeBoxId": "CP 1/ä&x=",
        "periodType": "FROM_TO",
        "from": "2026-11-25T08:28:59",
        "to": "2026-11-25T08:40:01",
    }


def test_the_period_is_never_empty(steve: Finder) -> None:
    steve.server.set_scripts(replies([]))
    steve.find(BEGAN, BEGAN)
    assert (steve.query["from"], steve.query["to"]) == ("2026-11-25T08:30:00", "2026-11-25T08:30:01")


def test_the_rows_of_the_charge_box_are_found_in_steve_s_order(steve: Finder) -> None:
    found = rows(steve, row(8, connectorId=2, ocppIdTag="tag1"), ENDS)
    assert found == (
        transaction("8", connector=2, token="tag1"),
        transaction("7", stopped_at=ENDED),
    )


def test_a_search_has_no_link_to_our_id(steve: Finder) -> None:
    steve.server.set_scripts(replies([row()]))
    found = steve.find()
    assert isinstance(found, Found)
    assert (found.exact, found.answer, found.supported) == (False, None, True)


def test_another_spelling_of_the_charge_box_is_returned_as_steve_spells_it(steve: Finder) -> None:
    assert rows(steve, row(chargeBoxId="cp1")) == (transaction(charger_id="cp1"),)


@pytest.mark.parametrize(
    ("started", "seconds"),
    [
        ("2026-11-25T08:30:00.250Z", BEGAN + 0.25),
        ("2026-11-25T09:30:00+01:00", BEGAN),
        ("2026-11-25T08:30:00", BEGAN),
    ],
)
def test_each_spelling_of_a_time_is_read(started: str, seconds: float, steve: Finder) -> None:
    assert rows(steve, row(startTimestamp=started)) == (transaction(started_at=seconds),)


def test_a_row_without_an_end_runs(steve: Finder) -> None:
    running = row()
    del running["stopTimestamp"]
    assert rows(steve, running) == (transaction(),)


def test_a_row_of_another_charge_box_is_skipped_even_if_it_cannot_be_read(steve: Finder) -> None:
    assert rows(steve, row(8, chargeBoxId="CP2"), {"chargeBoxId": "CP3"}, row()) == (transaction(),)


@pytest.mark.parametrize(
    "unread",
    [
        {}, row(None), row("7"), row(7.5), row(True), row(chargeBoxId=None), row(chargeBoxId=5), row(ocppIdTag=None), row(ocppIdTag=5),
        row(connectorId=None), row(connectorId="1"), row(connectorId=-1),
        row(startTimestamp=None), row(startTimestamp=5), row(startTimestamp="2026-11-25"), row(startTimestamp="today"),
        row(stopTimestamp=5), row(stopTimestamp=""), row(stopTimestamp="later"),
    ],
)  # fmt: skip
def test_without_a_row_that_may_be_of_this_charge_box_no_other_row_is_the_only_one(
    unread: dict[str, Any], steve: Finder
) -> None:
    steve.server.set_scripts(replies([row(), unread]))
    assert summarize(steve.find()) == "OutcomeUnknown types"


@pytest.mark.parametrize(
    "body", [None, {}, {"transactions": []}, "[]", 5, [None], [[]], [row(), "x"], b"", b"[", PAGE]
)
def test_a_reply_that_is_no_list_of_rows_is_no_search(body: Any, steve: Finder) -> None:
    steve.server.set_scripts(replies(body))
    assert summarize(steve.find()) == "OutcomeUnknown shape"


def test_a_list_that_is_too_long_is_no_search(steve: Finder) -> None:
    steve.server.set_scripts(replies([row()] * 6000))
    assert summarize(steve.find()) == "OutcomeUnknown too-long"


ERRORS: list[tuple[Script, str]] = [
    (declines("Error understanding the request"), "OutcomeUnknown http-400"),
    (declines("Internal error", 500), "OutcomeUnknown http-500"),  # its database is down
    (declines("Invalid password", 401), "ServerRefused unauthorized"),
    (replies(b"", 302, "text/html", SIGN_IN), "ServerRefused no-credentials"),
    (replies(b"", 302, "text/html", "Location: http://127.0.0.1/elsewhere"), "OutcomeUnknown http-302"),
    (replies(PAGE, 403, "text/html"), "ServerFailed no-such-path"),
    (declines("Not found", 404), "ServerFailed no-such-path"),
    (replies({}, 404), "OutcomeUnknown http-404"),
    (replies({}, 502), "OutcomeUnknown http-502"),
]


@pytest.mark.parametrize(("script", "summary"), ERRORS, ids=[summary for _, summary in ERRORS])
def test_each_error_of_a_search_says_nothing_of_the_start(
    script: Script, summary: str, steve: Finder
) -> None:
    for call in (steve.find, steve.read):
        steve.server.set_scripts(script)
        error = call()
        assert summarize(error) == summary
        assert isinstance(error, LinkError)
        assert "start" not in error.detail


def test_a_search_that_broke_off_is_sent_again(steve: Finder) -> None:
    steve.server.set_scripts(BREAKS, BREAKS, replies([row()]))
    assert steve.find() == Found((transaction(),))


def test_a_transaction_is_read_by_its_id_and_charge_box(steve: Finder) -> None:
    steve.server.set_scripts(replies([row(8), ENDS]))
    assert steve.read() == transaction(stopped_at=ENDED)
    assert steve.query == {"type": "ALL", "chargeBoxId": CHARGER, "transactionPk": "7"}
    steve.server.set_scripts(replies([]))
    assert steve.read() is None


def test_a_stop_names_the_charge_box_and_the_transaction(steve: Finder) -> None:
    steve.server.set_scripts(responded("Accepted"))
    assert summarize(steve.stop(transaction("4711"))) == "Accepted null"
    assert steve.requests == [("POST", STOP)]
    assert steve.sent == {"chargeBoxIdList": [CHARGER], "transactionId": 4711}


STOPS: list[tuple[Script, str]] = [
    (responded("Accepted"), "Accepted null"),
    (responded("Rejected"), "Rejected null"),
    (responded("accepted"), "OutcomeUnknown status"),
    (responded(None), "OutcomeUnknown status"),
    (task(), "OutcomeUnknown charger-silent"),  # after 30 s
    (task(successResponses={"chargeBoxId": "CP2", "response": "Accepted"}), "OutcomeUnknown charger-silent"),
    (task(successResponses={"chargeBoxId": "cp1", "response": "Accepted"}), "Accepted null"),  # over SOAP
    (errored("NotSupported"), "Rejected not-supported NotSupported"),
    (errored("InternalError"), "OutcomeUnknown call-error"),
    (errored(None), "OutcomeUnknown call-error"),
    (errored(["NotSupported"]), "OutcomeUnknown call-error"),
    (excepted("No session context for chargeBoxId 'CP1'"), "Unavailable not-connected"),
    (excepted("OCPP CALL failed"), "OutcomeUnknown exception"),
    (excepted(UNREAD + '[4,"x","FormatViolation","TAG1",{}]'), "Rejected not-supported FormatViolation"),
    (excepted(UNREAD + '[4,"x","InternalError","",{}]'), "OutcomeUnknown call-error"),
    (excepted(UNREAD + '[3,"x",{"status":"accepted"}]'), "OutcomeUnknown exception"),
    (task(exceptions={"exceptionMessage": None}), "OutcomeUnknown status"),
    (replies([]), "OutcomeUnknown shape"),
    (replies(b""), "OutcomeUnknown shape"),
    (declines(NO_STATIONS), "Unavailable unknown-or-not-connected"),
    (declines("Error understanding the request"), "ServerFailed unreadable"),
    (declines("Something else"), "OutcomeUnknown http-400"),
    (declines("Invalid password", 401), "ServerRefused unauthorized"),
    (replies(b"", 302, "text/html", SIGN_IN), "ServerRefused no-credentials"),
    (replies(PAGE, 403, "text/html"), "ServerFailed no-such-path"),
    (declines("Internal error", 500), "OutcomeUnknown http-500"),
]


@pytest.mark.parametrize(("script", "summary"), STOPS)
def test_each_reply_to_a_stop_has_its_outcome(script: Script, summary: str, steve: Finder) -> None:
    steve.server.set_scripts(script)
    stopped = steve.stop(transaction())
    assert summarize(stopped) == summary
    assert steve.requests == [("POST", STOP)]
    if isinstance(stopped, LinkError):
        assert "charge may" not in stopped.detail


@pytest.mark.parametrize(
    ("read", "summary"),
    [
        (replies([ENDS]), "Accepted already-stopped"),
        (replies([row()]), "Rejected null"),
        (replies([]), "Rejected null"),
        (replies([row(8, stopTimestamp="2026-11-25T08:31:00Z")]), "Rejected null"),
        (declines("Internal error", 500), "OutcomeUnknown http-500"),
    ],
)
def test_a_transaction_that_is_not_active_is_stopped_only_if_its_row_has_an_end(
    read: Script, summary: str, steve: Finder
) -> None:
    steve.server.set_scripts(declines(NOT_ACTIVE), read)
    assert summarize(steve.stop(transaction())) == summary
    assert steve.requests == [("POST", STOP), ("GET", TRANSACTIONS)]


def test_after_a_stop_that_broke_off_only_an_acceptance_or_an_end_is_certain(steve: Finder) -> None:
    steve.server.set_scripts(BREAKS, responded("Accepted"))
    assert summarize(steve.stop(transaction())) == "Accepted null"
    steve.server.set_scripts(BREAKS, declines(NOT_ACTIVE), replies([ENDS]))
    assert summarize(steve.stop(transaction())) == "Accepted already-stopped"
    steve.server.set_scripts(BREAKS, responded("Rejected"))
    assert summarize(steve.stop(transaction())) == "OutcomeUnknown rejected"
    steve.server.set_scripts(BREAKS, declines(NO_STATIONS))
    assert summarize(steve.stop(transaction())) == "OutcomeUnknown offline"


def test_a_server_that_does_not_answer_leaves_the_stop_unknown(steve: Finder) -> None:
    steve.server.set_scripts(hangs)
    error = steve.stop(transaction(), seconds=0.3)
    assert isinstance(error, OutcomeUnknown)
    assert "again is safe" in error.detail


def test_without_a_transaction_nothing_is_stopped(steve: Finder) -> None:
    assert steve.stop() is None
    assert steve.server.requests == []

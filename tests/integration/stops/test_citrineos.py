"""DELETE at a simulated CitrineOS with real charge points: the stop's answer arrives by a callback of its own."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from common.journal import Attempt, State, callbacks
from common.journal.stops import request_stop
from local.chargers import Behaviour
from local.simulators import CitrineOS
from tests.integration.dialects.deployed import SECRET, Deployed, call_back, deployed
from tests.integration.dialects.link_client import is_connected
from tests.integration.stopping import outcome
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    point = Behaviour("CP", version="2.0.1", charge_seconds=60)
    with deployed(table, [point], LINK_TIMEOUT="5") as stack:
        yield stack


def charging(stack: Deployed) -> str:
    """Return the id of a start that was accepted with a transaction, which CitrineOS has in its records."""
    members = stack.request("CP")
    response = stack.caller.post(members)
    assert (response.status, response.outcome) == (200, "accepted")
    eventually(lambda: stack.citrineos.recorder.rows)
    return str(members["id"])


def attempt_of(stack: Deployed, id_: str) -> Attempt:
    return Attempt.of(stack.item(id_))


def without_answers(stack: Deployed) -> None:
    """Let CitrineOS send no more callbacks: the DELETE waits for a second."""
    stack.citrineos.calls_back = False
    stack.caller.service = replace(stack.caller.service, link_timeout=1.0)


def test_a_charge_that_the_charger_named_is_stopped_without_a_search(stack: Deployed) -> None:
    id_ = charging(stack)
    assert outcome(stack.caller.delete(id_)) == (200, "Accepted")
    attempt = attempt_of(stack, id_)
    (own,) = stack.points["CP"].transactions
    assert attempt.transaction is not None
    assert attempt.transaction["id"] == stack.points["CP"].id_of(own)
    assert attempt.transaction["startedAt"] is not None  # as CitrineOS's row has it
    assert (attempt.state, (attempt.stop or {})["status"]) == (State.COMPLETED, "Accepted")
    eventually(lambda: own.stopped_at)
    eventually(lambda: outcome(stack.caller.delete(id_)) == (200, "already-stopped"))
    assert (attempt_of(stack, id_).transaction or {})["stoppedAt"] is not None
    assert stack.state(id_) == ("completed", "accepted")


def test_a_start_whose_answer_named_no_transaction_cannot_be_stopped(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP", charge_seconds=60)], LINK_TIMEOUT="5") as stack:
        members = stack.request("CP")
        assert stack.caller.post(members).status == 200
        assert outcome(stack.caller.delete(members["id"])) == (422, "stop-not-available")


def test_an_unknown_start_cannot_be_stopped_until_its_callback_names_the_transaction(
    stack: Deployed,
) -> None:
    without_answers(stack)
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    assert outcome(stack.caller.delete(members["id"])) == (422, "stop-not-available")
    (own,) = eventually(lambda: stack.points["CP"].transactions)
    id_ = eventually(lambda: stack.points["CP"].id_of(own))
    eventually(lambda: stack.citrineos.recorder.rows)
    assert call_back(stack.url_of(members["id"]), ACCEPTED | {"transactionId": id_})[0] == 204
    stack.citrineos.calls_back = True
    assert outcome(stack.caller.delete(members["id"])) == (200, "Accepted")


def test_a_stop_without_its_callback_is_a_504_and_a_late_callback_is_recorded(stack: Deployed) -> None:
    id_ = charging(stack)
    without_answers(stack)
    response = stack.caller.delete(id_)
    assert (outcome(response), response.outcome) == ((504, "outcome-unknown"), "unknown")
    assert "Sending the same DELETE again is safe." in response.body["detail"]
    stop = attempt_of(stack, id_).stop
    assert stop is not None
    assert "status" not in stop
    assert call_back(stack.url_of(id_), ACCEPTED)[0] == 204
    assert (attempt_of(stack, id_).stop or {})["status"] == "Accepted"
    assert call_back(stack.url_of(id_), REJECTED)[0] == 204  # the first answer stays
    assert (attempt_of(stack, id_).stop or {})["status"] == "Accepted"


def test_a_callback_without_an_answer_changes_nothing(stack: Deployed) -> None:
    id_ = charging(stack)
    without_answers(stack)
    stack.caller.delete(id_)
    before = stack.item(id_)
    bodies: list[Any] = [{"_errorCode": "InternalError"}, {"status": "Perhaps"}, [], None]
    for body in bodies:
        assert call_back(stack.url_of(id_), body)[0] == 204
    assert stack.item(id_) == before
    assert call_back(stack.url_of(id_), {"_errorCode": "NotSupported"})[0] == 204
    assert (attempt_of(stack, id_).stop or {})["status"] == "Rejected"


def test_neither_callback_is_ever_read_as_the_others(stack: Deployed) -> None:
    id_ = charging(stack)
    start_url = stack.url_of(id_)
    without_answers(stack)
    stack.caller.delete(id_)
    stop_url = stack.url_of(id_)
    assert urlsplit(stop_url).query == "purpose=stop"
    before = stack.item(id_)
    forged = [
        stop_url.partition("?")[0],
        stop_url.replace("purpose=stop", "purpose=start"),
        stop_url.replace("purpose=stop", urlsplit(start_url).query),
        start_url.partition("?")[0] + "?purpose=stop",
        start_url + "&purpose=stop",
    ]
    for url in forged:
        for body in (ACCEPTED, REJECTED):
            assert call_back(url, body)[0] == 404, url
    assert stack.item(id_) == before


def test_a_stops_callback_never_completes_an_unknown_start(stack: Deployed) -> None:
    without_answers(stack)
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    attempt = attempt_of(stack, members["id"])._replace(stop={"requestedAt": "x", "by": "alice"})
    path = callbacks.create_stop_path(SECRET.encode(), attempt, time.time())
    base = stack.url_of(members["id"]).partition(members["id"])[0]
    assert call_back(base + path, ACCEPTED)[0] == 404
    assert stack.state(members["id"]) == ("unknown", None)


def test_the_callback_of_an_earlier_stop_does_not_answer_a_later_one(stack: Deployed) -> None:
    id_ = charging(stack)
    without_answers(stack)
    stack.caller.delete(id_)
    earlier = stack.url_of(id_)
    attempt = attempt_of(stack, id_)
    stack.table.call("UpdateItem", request_stop(attempt, "alice", time.time()).body(stack.table.name))
    answered = call_back(earlier, REJECTED)[0]
    stop = attempt_of(stack, id_).stop
    assert stop is not None
    assert (answered, "status" in stop) == (404, False)


def test_two_deletes_at_once_end_with_the_charge_stopped(stack: Deployed) -> None:
    id_ = charging(stack)
    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(lambda _: stack.caller.delete(id_), range(2)))
    assert {one.status for one in responses} <= {200, 409, 504}, [one.body for one in responses]
    (own,) = stack.points["CP"].transactions
    eventually(lambda: own.stopped_at)
    eventually(lambda: outcome(stack.caller.delete(id_)) == (200, "already-stopped"))


def test_a_transaction_of_another_start_is_not_stopped(stack: Deployed) -> None:
    """A station may use its ids again: the row names another start."""
    id_ = charging(stack)
    for row in stack.citrineos.recorder.rows.values():
        row["remoteStartId"] = 1
    assert outcome(stack.caller.delete(id_)) in ((409, "not-yet-started"), (422, "stop-not-available"))
    assert not stack.points["CP"].transactions[0].stop_requested.is_set()


def test_a_row_whose_beginning_changed_is_not_stopped(stack: Deployed) -> None:
    id_ = charging(stack)
    without_answers(stack)
    stack.caller.delete(id_)  # stores the beginning
    published = len(stack.citrineos.callback_urls)
    for row in stack.citrineos.recorder.rows.values():
        row["startTime"] = "2026-01-01T00:00:00.000Z"
    assert outcome(stack.caller.delete(id_)) == (422, "stop-not-available")
    assert len(stack.citrineos.callback_urls) == published


def test_a_station_that_is_not_connected_is_unavailable(table: TableServer) -> None:
    point = Behaviour("CP", version="2.0.1", charge_seconds=60)
    with deployed(table, [point], LINK_TIMEOUT="5") as stack:
        id_ = charging(stack)
        point.online = False
        eventually(lambda: not is_connected(stack.simulator, "CP"))
        assert outcome(stack.caller.delete(id_)) == (200, "unknown-or-not-connected")
        assert (attempt_of(stack, id_).stop or {})["status"] == "Unavailable"


def test_without_an_address_of_its_own_the_service_cannot_stop(table: TableServer) -> None:
    point = Behaviour("CP", version="2.0.1", charge_seconds=60)
    with deployed(table, [point], CitrineOS(), LINK_TIMEOUT="5") as stack:
        id_ = charging(stack)
        stack.caller.service = replace(stack.caller.service, callback_base_url=None)
        response = stack.caller.delete(id_)
        assert outcome(response) == (422, "stop-not-available")
        assert attempt_of(stack, id_).stop is None
        assert json.dumps(response.body).count("started") == 0

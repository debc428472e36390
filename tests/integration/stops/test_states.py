"""DELETE for attempts in every state, at a simulated SteVe: what is answered, and what is sent."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from charger_link import Answer, Outcome
from common.journal import Settlement, State, evidence, resolutions
from common.remote_start.transaction import Transaction
from local.table import BROKEN
from tests.integration.calling import PATH, CallerResponse
from tests.integration.misbehaving import Misbehaving, hangs, sends_problem
from tests.integration.stopping import REJECTED, TOKEN, SteveSite, outcome, steve_site, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def steve(table: TableServer) -> Iterator[SteveSite]:
    """A SteVe without charge points: a stop that reaches it is answered with `Unavailable`."""
    with steve_site(table) as site:
        yield site


UNAVAILABLE = (200, "unknown-or-not-connected")
NOT_YET = (409, "not-yet-started")
NOT_AVAILABLE = (422, "stop-not-available")


def test_an_unknown_id_is_404_and_an_id_that_is_no_guid_400(steve: SteveSite) -> None:
    assert outcome(steve.stop(str(uuid4()))) == (404, "attempt-unknown")
    refused = steve.stop("x")
    assert (outcome(refused), refused.fields) == ((400, "invalid-request"), ["id"])


def test_only_the_caller_that_started_may_stop(steve: SteveSite) -> None:
    for id_ in (steve.failed(), steve.accepted(), steve.unknown()):
        assert outcome(steve.stop(id_, caller="mallory")) == (403, "other-caller")
        assert steve.get(id_).stop is None


def test_while_the_start_is_in_progress_the_caller_waits(steve: SteveSite) -> None:
    id_ = steve.pending(ago=0, hold=20).attempt.id
    response = steve.stop(id_)
    assert outcome(response) == (409, "attempt-in-progress")
    assert (1 <= int(response.headers["Retry-After"]) <= 20, response.outcome) == (True, "pending")


def test_what_certainly_started_nothing_needs_no_call(steve: SteveSite) -> None:
    rejected = steve.settled(Settlement(State.COMPLETED, answer=REJECTED))
    status = Answer(Outcome.STATUS, "Available", 1).record()
    read = steve.settled(Settlement(State.COMPLETED, answer=status), token=None, digest=None)
    died = steve.pending(token=None, digest=None).attempt.id
    steve.model.database_down = True
    for id_ in (steve.failed(), rejected, read, died):
        response = steve.stop(id_.upper())
        assert outcome(response) == (200, "nothing-started")
        assert response.body == {
            "id": id_,
            "chargerId": "CP",
            "connectorId": 1,
            "errorCode": "NoError",
            "status": "Accepted",
            "info": "nothing-started",
        }
        assert "Connect-Outcome" not in response.headers


@pytest.mark.parametrize("state", ["accepted", "unknown", "resolved"])
def test_a_charge_that_may_still_begin_is_not_yet_started_until_ten_minutes_after_the_last_sending(
    steve: SteveSite, state: str
) -> None:
    id_ = getattr(steve, state)(ago=300.0)
    response = steve.stop(id_)
    assert outcome(response) == NOT_YET
    assert (response.headers["Retry-After"], response.outcome) == ("10", "unknown")
    assert steve.get(id_).nothingFoundUntil is not None
    late = getattr(steve, state)(ago=700.0)
    response = steve.stop(late)
    assert (outcome(response), "Retry-After" in response.headers) == (NOT_AVAILABLE, False)


def test_the_wait_for_a_charge_never_exceeds_the_ten_minutes(steve: SteveSite) -> None:
    response = steve.stop(steve.accepted(ago=602.0))  # the lease ended 597 s ago
    assert (outcome(response), int(response.headers["Retry-After"]) <= 3) == (NOT_YET, True)


def test_an_invocation_that_died_is_looked_for_as_well(steve: SteveSite) -> None:
    id_ = steve.pending().attempt.id
    steve.begin()
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE
    assert steve.get(id_).state is State.COMPLETED


def test_a_transaction_is_certain_with_the_second_look_and_stored_before_the_stop(steve: SteveSite) -> None:
    id_ = steve.unknown()
    began = steve.begin()
    first = steve.stop(id_)
    assert (outcome(first), int(first.headers["Retry-After"]) <= 10) == (NOT_YET, True)
    assert (steve.get(id_).stop, steve.get(id_).transaction) == (None, None)
    assert outcome(steve.stop(id_)) == NOT_YET  # too soon after the first look
    steve.seen_before(id_)
    stored: list[Any] = []
    steve.table.on_request = lambda *_: stored.append(steve.table.items())
    assert outcome(steve.stop(id_)) == UNAVAILABLE
    attempt = steve.get(id_)
    assert (attempt.state, attempt.transaction and attempt.transaction["id"]) == (State.COMPLETED, began)
    assert attempt.stop
    assert {**attempt.stop, "requestedAt": "", "answeredAt": ""} == {
        "requestedAt": "",
        "by": "alice",
        "status": "Unavailable",
        "info": "unknown-or-not-connected",
        "answeredAt": "",
    }
    items = [item for round_ in stored for item in round_ if item["id"]["S"] == id_]
    assert not [item for item in items if "stop" in item and "transaction" not in item]
    assert steve.caller.get(id_).body["stop"] == attempt.stop


def test_a_young_transaction_may_be_stopped_soon_even_long_after_the_start(steve: SteveSite) -> None:
    """An accepted start is not looked for, so that a DELETE after an hour is the first look."""
    id_ = steve.accepted(ago=3600.0)
    steve.begin(ago=3590.0)
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE


def test_the_second_look_must_be_ten_seconds_later(steve: SteveSite, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = steve.accepted()
    steve.begin()
    assert [outcome(steve.stop(id_)) for _ in range(2)] == [NOT_YET, NOT_YET]
    monkeypatch.setattr(evidence, "SETTLING", 0.0)
    assert outcome(steve.stop(id_)) == UNAVAILABLE


def test_an_ended_charge_is_already_stopped_and_nothing_is_sent(steve: SteveSite) -> None:
    id_ = steve.accepted()
    began = steve.begin()
    steve.end(began)
    assert outcome(steve.stop_when_certain(id_)) == (200, "already-stopped")
    attempt = steve.get(id_)
    assert (attempt.stop, attempt.transaction and attempt.transaction["stoppedAt"] is not None) == (
        None,
        True,
    )
    assert outcome(steve.stop(id_)) == (200, "already-stopped")


def test_a_charge_that_ended_since_the_last_stop_is_already_stopped(steve: SteveSite) -> None:
    id_ = steve.accepted()
    began = steve.begin()
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE
    steve.end(began)
    assert outcome(steve.stop(id_)) == (200, "already-stopped")


@pytest.mark.parametrize(
    "row",
    [
        {"token": "ANOTHER"},
        {"charger": "cp"},
        {"connector": 2},
        {"ago": 3600.0},
        {"ago": -700.0},
    ],
)
def test_a_transaction_that_does_not_agree_is_not_the_attempts(steve: SteveSite, row: dict[str, Any]) -> None:
    id_ = steve.accepted()
    steve.begin(**row)
    assert outcome(steve.stop(id_)) == NOT_YET
    assert steve.get(id_).sightings is None


def test_two_transactions_that_match_are_both_uncertain(steve: SteveSite) -> None:
    id_ = steve.unknown()
    steve.begin(ago=35)
    steve.begin(ago=30)
    response = steve.stop(id_)
    assert (outcome(response), "Retry-After" in response.headers) == (NOT_AVAILABLE, False)
    assert steve.get(id_).stop is None


def test_a_transaction_with_a_rival_is_uncertain(steve: SteveSite) -> None:
    id_ = steve.accepted()
    rival = steve.unknown(ago=50)
    steve.begin()
    assert outcome(steve.stop(id_)) == NOT_YET
    steve.seen_before(id_)
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE
    assert (steve.get(id_).stop, steve.get(rival).stop) == (None, None)


def test_a_transaction_that_another_attempt_has_taken_is_uncertain(steve: SteveSite) -> None:
    other = steve.accepted(ago=100, caller="bob")
    steve.begin(ago=90)
    steve.stop(other, caller="bob")
    steve.seen_before(other)
    assert outcome(steve.stop(other, caller="bob")) == UNAVAILABLE
    steve.table.call("DeleteItem", {"TableName": steve.table.name, "Key": {"id": {"S": other}}})
    id_ = steve.accepted(ago=90)
    assert outcome(steve.stop(id_)) == NOT_YET
    steve.seen_before(id_)
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE
    assert steve.get(id_).transaction is None


def test_ids_that_begin_again_stop_nothing(steve: SteveSite) -> None:
    """SteVe's database was rebuilt: the stored id is another charge now."""
    id_ = steve.accepted(ago=3000.0)
    assert steve.begin(ago=2990.0) == "1"
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE
    before = steve.get(id_).stop
    steve.model.transactions.clear()
    assert steve.begin(token="SOMEBODY-ELSE", ago=60.0) == "1"
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE
    steve.model.transactions.clear()
    assert steve.begin(ago=60.0) == "1"  # the same driver, later
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE
    steve.model.transactions.clear()
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE
    assert steve.get(id_).stop == before


def test_a_row_of_another_driver_with_the_same_beginning_stops_nothing(steve: SteveSite) -> None:
    id_ = steve.accepted()
    steve.begin()
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE
    (row,) = steve.model.transactions._rows
    row.tag = "SOMEBODY-ELSE"
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE


def test_each_transaction_of_a_wrongly_resolved_attempt_is_stopped(steve: SteveSite) -> None:
    id_ = steve.resolved(ago=200.0)
    first = steve.begin(ago=190)
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE
    attempt = steve.get(id_)
    assert (attempt.state, attempt.transaction and attempt.transaction["id"]) == (State.COMPLETED, first)


def test_an_operators_acceptance_lets_a_charge_be_found_and_stopped(steve: SteveSite) -> None:
    id_ = steve.unknown()
    word = Answer(Outcome.ACCEPTED, "Accepted", 1, info="confirmed-by-operator").record()
    assert steve.apply(resolutions.resolve_accepted(steve.get(id_), "I saw it.", "olga", word, time.time()))
    steve.begin()
    assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE


def test_paused_starts_do_not_pause_stops(table: TableServer) -> None:
    with steve_site(table, PAUSED="true") as steve:
        id_ = steve.accepted()
        steve.begin()
        assert outcome(steve.stop_when_certain(id_)) == UNAVAILABLE


def test_an_entry_that_is_not_enabled_pauses_no_stops_and_a_removed_one_ends_them(
    table: TableServer, server: Misbehaving
) -> None:
    server.set_scripts(sends_problem(503, kind="busy"))
    with stopping(table, server.port, enabled=False) as native:
        assert outcome(native.stop(native.accepted())) == (503, "server-busy")
        for changes in ({"url": "http://127.0.0.1:1/x"}, {"tenant": 7}, {"server": "10.0.0.9:80"}):
            assert outcome(native.stop(native.accepted(**changes))) == NOT_AVAILABLE


@pytest.mark.parametrize("dialect", ["ocpp-core", "ocpp-cs"])
@pytest.mark.parametrize("state", ["accepted", "unknown", "resolved"])
def test_a_dialect_that_cannot_tell_stops_nothing(
    table: TableServer, server: Misbehaving, dialect: str, state: str
) -> None:
    with stopping(table, server.port, dialect=dialect) as site:
        assert outcome(site.stop(getattr(site, state)(ago=300.0))) == NOT_AVAILABLE
        assert outcome(site.stop(site.failed())) == (200, "nothing-started")
    assert server.connections == 0


def test_a_dialect_of_another_version_stops_nothing(steve: SteveSite) -> None:
    assert outcome(steve.stop(steve.accepted(dialect="newer"))) == NOT_AVAILABLE


def test_records_that_cannot_be_read_say_nothing_and_the_text_says_that_a_repeat_is_safe(
    steve: SteveSite,
) -> None:
    steve.model.database_down = True
    id_ = steve.accepted()
    response = steve.stop(id_)
    assert (outcome(response), response.outcome) == ((504, "outcome-unknown"), "unknown")
    assert "Sending the same DELETE again is safe." in response.body["detail"]
    assert response.body["instance"] == f"{PATH}/{id_}"
    assert (steve.get(id_).lookedAt, steve.get(id_).stop) == (None, None)


def test_no_problem_says_that_nothing_was_started_or_suggests_a_start(
    table: TableServer, server: Misbehaving
) -> None:
    responses: list[CallerResponse] = []
    with stopping(table, server.port, dialect="steve") as site:
        for script in (hangs, *(sends_problem(status) for status in (400, 401, 403, 404, 429, 500, 503))):
            server.set_scripts(script)
            responses.append(site.stop(site.accepted(), left=4.0))
        server.close()
        responses.append(site.stop(site.accepted()))
    for response in responses:
        assert response.status >= 422, response
        assert response.outcome == (None if response.status == 422 else "unknown"), response
        detail = response.body["detail"].lower()
        assert "nothing was started" not in detail, response
        assert "id" not in detail.split() or "new" not in detail.split(), response
    assert {response.problem for response in responses} >= {
        "outcome-unknown",
        "server-refused",
        "server-unreachable",
    }


def test_while_the_table_fails_no_stop_is_sent(steve: SteveSite) -> None:
    id_ = steve.accepted()
    steve.begin()
    steve.stop(id_)
    steve.seen_before(id_)
    steve.table.on_request = lambda *_: BROKEN
    response = steve.stop(id_, left=5.0)
    assert (outcome(response), response.outcome) == ((503, "journal-unavailable"), "unknown")
    assert response.headers["Retry-After"] == "1"


def test_the_formats_are_those_of_the_post(steve: SteveSite) -> None:
    id_ = steve.failed()
    json_ = steve.caller.delete_raw(id_)
    assert json_["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(json_["body"])["info"] == "nothing-started"
    requested: list[dict[str, Any]] = [{"accept": "application/xml"}, {"content_type": "text/xml"}]
    for headers in requested:
        xml = steve.caller.delete_raw(id_, **headers)
        assert xml["headers"]["Content-Type"].partition(";")[0] == (*headers.values(),)[0]
        values = {one.tag.rpartition("}")[2]: one.text for one in ElementTree.fromstring(xml["body"])}
        assert (values["id"], values["info"]) == (id_, "nothing-started")
    problem = steve.caller.delete_raw(str(uuid4()), accept="application/xml")
    assert (problem["statusCode"], problem["headers"]["Content-Type"]) == (
        404,
        "application/problem+xml; charset=utf-8",
    )
    odd = steve.caller.delete_raw(id_, accept="image/png", content_type="text/csv")
    assert (odd["statusCode"], odd["headers"]["Content-Type"]) == (200, json_["headers"]["Content-Type"])


def test_a_stored_transaction_whose_attempt_has_no_digest_is_not_stopped(steve: SteveSite) -> None:
    row = Transaction("1", "CP", TOKEN, 1, time.time() - 35, None)
    id_ = steve.accepted(transaction=row, digest=None)
    steve.begin()
    assert outcome(steve.stop(id_)) == NOT_AVAILABLE

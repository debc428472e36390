"""DELETE at a simulated SteVe with real charge points: the charge point's own record agrees."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import Command
from common.journal import State, looking, looks, token_digest
from common.journal.evidence import Window
from common.remote_start.transaction import Transaction
from local.chargers import Behaviour, Reaction
from local.ocppj import parse_time
from local.table import LOST_RESPONSE
from tests.integration.calling import CallerResponse, request
from tests.integration.dialects.link_client import is_connected
from tests.integration.stopping import SECRET, SteveSite, outcome, soon, steve_site
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour("CP", charge_seconds=60)


@pytest.fixture
def steve(table: TableServer, behaviour: Behaviour) -> Iterator[SteveSite]:
    with steve_site(table, behaviour) as site:
        yield site


def start(steve: SteveSite, token: str = "TAG1", caller: str = "alice") -> tuple[str, CallerResponse]:
    members = request(steve.port, chargerId="CP", tokenId=token)
    return members["id"], steve.caller.post(members, caller=caller)


def charging(steve: SteveSite) -> str:
    """Return the id of an accepted start whose charge runs, and was seen before."""
    id_, response = start(steve)
    assert response.status == 200
    eventually(lambda: steve.model.transactions.select("type=ACTIVE"))
    assert outcome(steve.stop(id_)) == (409, "not-yet-started")
    steve.seen_before(id_)
    return id_


def test_an_accepted_charge_is_stopped(steve: SteveSite) -> None:
    id_ = charging(steve)
    assert outcome(steve.stop(id_)) == (200, "Accepted")
    (own,) = steve.points["CP"].transactions
    eventually(lambda: own.stopped_at)
    attempt = steve.get(id_)
    assert attempt.transaction is not None
    assert attempt.transaction["id"] == steve.points["CP"].id_of(own)
    assert (attempt.stop or {})["status"] == "Accepted"
    eventually(lambda: outcome(steve.stop(id_)) == (200, "already-stopped"))
    stopped = (steve.get(id_).transaction or {})["stoppedAt"]
    assert parse_time(stopped) == parse_time(own.stopped_at or "")


class TestALateStart:
    @pytest.fixture
    def behaviour(self) -> Behaviour:
        return Behaviour("CP", reaction=Reaction.LATE, late_seconds=600.0, charge_seconds=600)

    def test_is_found_and_stopped_although_its_answer_never_came(self, steve: SteveSite) -> None:
        id_, response = start(steve)
        assert outcome(response) == (504, "outcome-unknown")
        eventually(lambda: steve.model.transactions.select("type=ACTIVE"))
        assert outcome(steve.stop_when_certain(id_)) == (200, "Accepted")
        assert steve.requests_to_stop() == 1
        attempt = steve.get(id_)
        assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "accepted")


def test_what_the_charger_answers_is_returned(steve: SteveSite, behaviour: Behaviour) -> None:
    id_ = charging(steve)
    (row,) = steve.model.transactions._rows
    steve.points["CP"].transactions[
        0
    ].stopped_at = row.started  # the charge point no longer runs it: it rejects
    assert outcome(steve.stop(id_)) == (200, "Rejected")
    behaviour.online = False
    eventually(lambda: not is_connected(steve.simulator, "CP"))
    assert steve.stop(id_).body["status"] == "Unavailable"
    assert (steve.get(id_).stop or {})["status"] == "Unavailable"


def test_a_charge_of_another_driver_on_the_connector_is_not_stopped(steve: SteveSite) -> None:
    mine = steve.unknown()
    _, response = start(steve, token="ANOTHER-DRIVER", caller="bob")
    assert response.status == 200
    eventually(lambda: steve.model.transactions.select("type=ACTIVE"))
    for _ in range(2):
        assert outcome(steve.stop(mine)) == (409, "not-yet-started")
    assert steve.requests_to_stop() == 0


def test_a_rebuilt_database_that_gives_the_id_to_another_driver_stops_nothing(steve: SteveSite) -> None:
    row = Transaction("1", "CP", "TAG1", 1, time.time() - 3000, None)
    mine = steve.accepted(ago=3010, transaction=row)
    _, response = start(steve, token="ANOTHER-DRIVER", caller="bob")
    assert response.status == 200
    (active,) = eventually(lambda: steve.model.transactions.select("type=ACTIVE"))
    assert active["id"] == 1
    assert outcome(steve.stop(mine)) == (422, "stop-not-available")
    assert steve.requests_to_stop() == 0


def test_two_deletes_at_once_are_both_true(steve: SteveSite) -> None:
    id_ = charging(steve)
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: steve.stop(id_), range(4)))
    assert {one.status for one in responses} <= {200, 409}, [one.body for one in responses]
    assert "Accepted" in {one.body.get("status") for one in responses}
    (own,) = steve.points["CP"].transactions
    eventually(lambda: own.stopped_at)


def test_a_delete_beside_the_sweep_completes_the_attempt_once(steve: SteveSite) -> None:
    """A sweep and a DELETE read the same attempt, and both find the transaction."""
    id_ = steve.unknown(ago=40)
    began = steve.begin(ago=35)
    steve.stop(id_)
    steve.seen_before(id_)
    swept = Event()

    def sweep() -> None:
        attempt = steve.get(id_)
        found = steve.caller.service.link.read_transaction(_command(steve, id_), began, soon())
        assert found is not None
        swept.set()
        for _ in range(5):
            looking.look(
                steve.journal(),
                attempt,
                [found],
                time.time(),
                window=Window(),
                digest_of=lambda charger, token: token_digest(SECRET, charger, token),
                deadline=soon(),
            )

    with ThreadPoolExecutor(2) as pool:
        sweeping = pool.submit(sweep)
        swept.wait(5)
        responses = [steve.stop(id_) for _ in range(3)]
        sweeping.result()
    for response in responses:
        assert outcome(response) in (
            (200, "Rejected"),
            (200, "unknown-or-not-connected"),
            (409, "attempt-in-progress"),
        )
    attempt = steve.get(id_)
    assert (attempt.state, (attempt.transaction or {})["id"]) == (State.COMPLETED, began)
    taken = [item for item in steve.table.items() if item["id"]["S"].startswith("transaction ")]
    assert [item["takenBy"]["S"] for item in taken] == [id_]


def test_a_delete_beside_a_repeat_that_opens_a_resolved_attempt_again(steve: SteveSite) -> None:
    """The repeat counts a try between the look and the stop, so that the stop is not sent."""
    id_ = steve.resolved(ago=200)
    steve.begin(ago=190)
    steve.stop(id_)
    steve.seen_before(id_)
    taken: list[Any] = []

    def take_over(operation: str, body: dict[str, Any]) -> None:
        if operation == "UpdateItem" and "#stop = :stop" in body["UpdateExpression"] and not taken:
            taken.append(body)
            key = {"id": {"S": id_}}
            values = {":one": {"N": "1"}}
            steve.table.call(
                "UpdateItem",
                {
                    "TableName": steve.table.name,
                    "Key": key,
                    "UpdateExpression": "ADD tries :one",
                    "ExpressionAttributeValues": values,
                },
            )

    steve.table.on_request = take_over
    assert outcome(steve.stop(id_)) == (409, "attempt-in-progress")
    assert taken
    assert steve.get(id_).stop is None


def test_a_retried_write_of_the_stop_is_recognised_as_its_own(steve: SteveSite) -> None:
    id_ = charging(steve)
    lost: list[Any] = []

    def lose(operation: str, body: dict[str, Any]) -> Any:
        if operation == "UpdateItem" and "#stop = :stop" in body["UpdateExpression"] and not lost:
            lost.append(body)
            return LOST_RESPONSE
        return None

    steve.table.on_request = lose
    assert outcome(steve.stop(id_)) == (200, "Accepted")
    assert lost
    assert steve.requests_to_stop() == 1


def _command(steve: SteveSite, id_: str) -> Command:
    server = steve.caller.service.servers.find("127.0.0.1", steve.port)
    return Command(id_, "CP", None, 1, server)


def test_the_look_before_the_stop_leaves_a_late_write_no_room(steve: SteveSite) -> None:
    """A delayed look of an earlier try changes nothing after the stop."""
    id_ = charging(steve)
    before = steve.get(id_)
    assert outcome(steve.stop(id_)) == (200, "Accepted")
    after = steve.get(id_)
    late = looks.add_transaction(before, Transaction("99", "CP", "TAG1", 1, time.time(), None), time.time())
    assert not steve.apply(late)
    assert steve.get(id_) == after

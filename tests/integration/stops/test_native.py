"""DELETE at the local native server, with real charge points: the server stops by id, and starts none afterwards."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from common.journal import State
from local.chargers import Behaviour, Reaction, charging
from local.csms import Options, serving
from local.running import in_thread
from local.table import BROKEN
from tests.integration.calling import request
from tests.integration.csms.client import Rest
from tests.integration.misbehaving import Misbehaving, Peer, response, sends, sends_problem
from tests.integration.stopping import Stopping, outcome, stopping
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chargers import ChargePoint
    from local.table import TableServer

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1"])
PROBLEM = "application/problem+json"


class Site:
    """The service, the local native server, and one charge point."""

    def __init__(self, stopping: Stopping, rest: Rest, point: ChargePoint) -> None:
        self.stopping, self.rest, self.point = stopping, rest, point

    def request(self, **changes: Any) -> dict[str, Any]:
        return request(self.stopping.port, **{"chargerId": "CP", "tokenId": "TAG1", **changes})

    def start(self, left: float = 29.0) -> tuple[dict[str, Any], int]:
        """Return a request and the status code of its response."""
        members = self.request()
        return members, self.stopping.caller.post(members, left=left).status

    def state(self, id_: str) -> str:
        return str(self.rest.find("CP", id_).body["state"])


@contextmanager
def site(table: TableServer, behaviour: Behaviour, **entry: Any) -> Iterator[Site]:
    with ExitStack() as stack:
        csms = stack.enter_context(in_thread(serving(Options())))
        points = stack.enter_context(in_thread(charging([behaviour], csms.ocpp_url)))
        rest = Rest(csms.rest_url)
        eventually(lambda: rest.status("CP").body.get("status") == "Available")
        yield Site(
            stack.enter_context(stopping(table, csms.rest_port, **entry)), rest, points[behaviour.identity]
        )


@VERSIONS
def test_a_running_charge_is_stopped_and_the_charge_points_record_agrees(
    table: TableServer, version: str
) -> None:
    with site(table, Behaviour("CP", version=version, charge_seconds=60)) as native:
        members, status = native.start()
        assert status == 200
        eventually(lambda: native.state(members["id"]) == "started")
        assert outcome(native.stopping.stop(members["id"])) == (200, "Accepted")
        attempt = native.stopping.get(members["id"])
        assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "accepted")
        (own,) = native.point.transactions
        assert attempt.transaction
        assert attempt.transaction["id"] == native.point.id_of(own)
        assert (attempt.stop or {})["status"] == "Accepted"
        eventually(lambda: native.state(members["id"]) == "stopped")
        assert own.stop_requested.is_set()
        assert outcome(native.stopping.stop(members["id"])) == (200, "already-stopped")
        recorded = native.stopping.get(members["id"]).transaction
        assert recorded
        assert recorded["stoppedAt"] is not None
        assert native.stopping.caller.post(members).headers["Idempotent-Replayed"] == "true"
        assert len(native.point.starts) == 1


def test_an_unknown_start_that_the_server_never_received_is_cancelled_and_never_starts(
    table: TableServer,
) -> None:
    with site(table, Behaviour("CP")) as native:
        for id_ in (native.stopping.unknown(), native.stopping.pending().attempt.id):
            assert outcome(native.stopping.stop(id_)) == (200, "nothing-started")
            attempt = native.stopping.get(id_)
            assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "cancelled")
            assert (attempt.shard, attempt.problem) == (None, None)
            assert native.rest.connect("CP", key=id_).outcome == (409, "id-stopped")
            assert outcome(native.stopping.stop(id_)) == (200, "nothing-started")
        assert native.point.starts == []


def test_a_cancelled_start_is_replayed_and_not_opened_again(table: TableServer) -> None:
    with site(table, Behaviour("CP", reaction=Reaction.SILENT)) as native:
        members, status = native.start(left=3.5)
        assert status == 504
        assert outcome(native.stopping.stop(members["id"])) == (200, "stop-recorded")
        attempt = native.stopping.get(members["id"])
        assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "cancelled")
        again = native.stopping.caller.post(members)
        assert (again.status, again.outcome) == (200, "cancelled")
        assert again.headers["Idempotent-Replayed"] == "true"


@VERSIONS
def test_a_charge_that_begins_after_the_stop_is_stopped_at_once_and_a_repeated_delete_shows_it(
    table: TableServer, version: str
) -> None:
    behaviour = Behaviour("CP", version=version, reaction=Reaction.SILENT, charge_seconds=60)
    with site(table, behaviour) as native:
        members, status = native.start(left=3.5)
        assert status == 504
        assert outcome(native.stopping.stop(members["id"])) == (200, "stop-recorded")
        native.point.behaviour.reaction = Reaction.ACCEPT
        eventually(lambda: native.state(members["id"]) == "stopped")
        assert [one.stop_requested.is_set() for one in native.point.transactions] == [True]
        assert outcome(native.stopping.stop(members["id"])) == (200, "already-stopped")
        attempt = native.stopping.get(members["id"])
        assert attempt.state is State.COMPLETED
        assert attempt.transaction
        assert attempt.transaction["stoppedAt"] is not None


def test_a_late_accepted_start_that_is_unknown_is_found_and_stopped(table: TableServer) -> None:
    behaviour = Behaviour("CP", reaction=Reaction.LATE, late_seconds=30, charge_seconds=60)
    with site(table, behaviour) as native:
        members, status = native.start(left=4.5)
        assert status == 504
        eventually(lambda: native.point.transactions)
        eventually(lambda: native.state(members["id"]) == "started")
        response = native.stopping.stop(members["id"])
        attempt = native.stopping.get(members["id"])
        assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "accepted")
        assert attempt.transaction is not None
        # The charge point has not answered the start, so the server may not send it the stop yet.
        assert outcome(response) in ((200, "Accepted"), (503, "server-busy"), (504, "outcome-unknown"))


def test_what_the_charger_rejected_is_completed_as_rejected(table: TableServer) -> None:
    with site(table, Behaviour("CP", reaction=Reaction.REJECT)) as native:
        id_ = native.stopping.unknown()
        assert native.rest.connect("CP", key=id_).outcome == (200, "Rejected")
        assert outcome(native.stopping.stop(id_)) == (200, "nothing-started")
        assert (native.stopping.get(id_).answer or {})["outcome"] == "rejected"


def test_once_resolved_an_attempt_is_cancelled_and_never_opened_again(table: TableServer) -> None:
    with site(table, Behaviour("CP")) as native:
        id_ = native.stopping.resolved()
        assert outcome(native.stopping.stop(id_)) == (200, "nothing-started")
        attempt = native.stopping.get(id_)
        assert (attempt.state, (attempt.answer or {})["outcome"]) == (State.COMPLETED, "cancelled")


def test_two_deletes_at_once_are_both_true(table: TableServer) -> None:
    with site(table, Behaviour("CP", charge_seconds=60)) as native:
        members, _ = native.start()
        eventually(lambda: native.state(members["id"]) == "started")
        with ThreadPoolExecutor(4) as pool:
            responses = list(pool.map(lambda _: native.stopping.stop(members["id"]), range(4)))
        assert {one.status for one in responses} <= {200, 409}, responses
        assert {one.problem for one in responses} <= {None, "attempt-in-progress"}
        eventually(lambda: native.state(members["id"]) == "stopped")
        assert (native.stopping.get(members["id"]).stop or {}).get("status") in ("Accepted", "Rejected")


def test_a_delete_beside_a_start_ends_known_and_leaves_no_charge(table: TableServer) -> None:
    with site(table, Behaviour("CP", charge_seconds=60)) as native:
        for _ in range(6):
            id_ = stop_beside_the_start(native)
            assert native.stopping.get(id_).state in (State.COMPLETED, State.FAILED)
            eventually(lambda: native.rest.status("CP").body.get("status") == "Available")
        assert len(native.point.starts) <= 6
        assert all(one.stopped_at for one in native.point.transactions)


def stop_beside_the_start(native: Site) -> str:
    members = native.request()
    id_ = str(members["id"])
    with ThreadPoolExecutor(2) as pool:
        posting = pool.submit(native.stopping.caller.post, members)
        eventually(lambda: native.stopping.caller.get(id_).status == 200)
        assert pool.submit(native.stopping.stop, id_).result().status in (200, 409)
        assert posting.result().status in (200, 409)
    eventually(lambda: native.stopping.stop(id_).body.get("info") in ("already-stopped", "nothing-started"))
    return id_


def test_a_repeat_after_a_delete_starts_nothing(table: TableServer) -> None:
    """The repeat claimed the attempt before the DELETE completed it: the server refuses its PUT."""
    with site(table, Behaviour("CP")) as native:
        members = native.request()
        native.rest.stop("CP", members["id"])
        response_ = native.stopping.caller.post(members)
        assert (response_.status, response_.outcome) == (200, "cancelled")
        assert outcome(native.stopping.stop(members["id"])) == (200, "nothing-started")
        assert native.point.starts == []


class Recorded:
    """A native server on raw sockets that has one record, and answers a DELETE as a test sets it."""

    def __init__(self, server: Misbehaving) -> None:
        self.server = server
        self.stop: dict[str, Any] | None = {"status": "Accepted", "info": None}
        self.changes: dict[str, Any] = {}
        server.set_scripts(self._respond)

    @property
    def deletes(self) -> int:
        return sum(one.method == "DELETE" for one in self.server.requests)

    def _respond(self, peer: Peer) -> None:
        request = peer.read()
        id_ = request.path.rpartition("/")[2]
        body: dict[str, Any] = {
            "id": id_,
            "chargerId": "CP",
            "state": "started",
            "cancelled": request.method == "DELETE",
            "result": None,
            "transactions": [
                {"id": "7", "connectorId": 1, "startedAt": "2026-11-25T08:30:00Z", "stoppedAt": None}
            ],
        }
        if request.method == "DELETE":
            if self.stop is None:
                problem = {"type": "/problems/no-answer", "title": "x", "status": 504, "detail": "x"}
                peer.send(response(504, json.dumps(problem).encode(), f"Content-Type: {PROBLEM}"))
                return
            body |= {"stop": self.stop}
        peer.send(
            response(200, json.dumps({**body, **self.changes}).encode(), "Content-Type: application/json")
        )


def test_the_transaction_is_stored_before_the_stop_and_no_answer_is_a_504_that_may_be_repeated(
    table: TableServer, server: Misbehaving
) -> None:
    recorded = Recorded(server)
    recorded.stop = None
    with stopping(table, server.port) as native:
        id_ = native.unknown()
        response_ = native.stop(id_)
        assert (outcome(response_), response_.outcome) == ((504, "outcome-unknown"), "unknown")
        assert "Sending the same DELETE again is safe." in response_.body["detail"]
        attempt = native.get(id_)
        assert (attempt.state, (attempt.transaction or {})["id"]) == (State.COMPLETED, "7")
        assert attempt.stop
        assert "status" not in attempt.stop
        recorded.stop = {"status": "Rejected", "info": None}
        assert outcome(native.stop(id_)) == (200, "Rejected")
        recorded.stop = {"status": "Unavailable", "info": None}
        assert outcome(native.stop(id_)) == (200, "Unavailable")
        assert (native.get(id_).stop or {})["status"] == "Unavailable"


def test_an_older_server_without_the_request_cannot_stop(table: TableServer, server: Misbehaving) -> None:
    server.set_scripts(sends_problem(404, kind="no-such-resource"))
    with stopping(table, server.port) as native:
        for id_ in (native.accepted(), native.unknown()):
            assert outcome(native.stop(id_)) == (422, "stop-not-available")
            assert native.get(id_).stop is None


def test_a_stop_that_was_certainly_not_sent_is_not_recorded(table: TableServer, server: Misbehaving) -> None:
    recorded = Recorded(server)
    with stopping(table, server.port) as native:
        id_ = native.accepted()
        assert outcome(native.stop(id_)) == (200, "Accepted")
        before = native.get(id_).stop

        def busy_for_stops(peer: Peer) -> None:
            request_ = peer.read()
            if request_.method == "DELETE":
                problem = {"type": "/problems/busy", "title": "x", "status": 503, "detail": "x"}
                peer.send(response(503, json.dumps(problem).encode(), f"Content-Type: {PROBLEM}"))
            else:
                body = {"id": id_, "chargerId": "CP", "state": "sent", "cancelled": False, "result": None}
                peer.send(
                    response(
                        200,
                        json.dumps({**body, "transactions": []}).encode(),
                        "Content-Type: application/json",
                    )
                )

        server.set_scripts(busy_for_stops)
        assert outcome(native.stop(id_)) == (503, "server-busy")
        assert (native.get(id_).stop, recorded.deletes) == (before, 2)


def test_an_answer_that_cannot_be_recorded_is_a_504(table: TableServer, server: Misbehaving) -> None:
    recorded = Recorded(server)
    with stopping(table, server.port) as native:
        id_ = native.accepted()
        table.on_request = lambda *_: BROKEN if recorded.deletes else None
        response_ = native.stop(id_, left=6.0)
        assert outcome(response_) == (504, "outcome-unknown")
        table.on_request = lambda *_: None
        assert outcome(native.stop(id_)) == (200, "Accepted")


def test_a_request_that_took_the_attempt_over_prevents_the_stop_from_being_sent(
    table: TableServer, server: Misbehaving
) -> None:
    """A repeat claims the attempt between the look and the stop: its own outcome comes first."""
    recorded = Recorded(server)
    recorded.changes = {"transactions": [], "state": "sent"}
    with stopping(table, server.port) as native:
        id_ = native.unknown()
        attempt = native.get(id_)
        claimed: list[Any] = []

        def take_over(operation: str, body: dict[str, Any]) -> None:
            if operation == "UpdateItem" and "#stop = :stop" in body["UpdateExpression"] and not claimed:
                claimed.append(None)
                table.call(
                    "UpdateItem",
                    {
                        "TableName": table.name,
                        "Key": {"id": {"S": id_}},
                        "UpdateExpression": "ADD tries :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    },
                )

        table.on_request = take_over
        response_ = native.stop(id_)
        assert (outcome(response_), recorded.deletes) == ((409, "attempt-in-progress"), 0)
        table.on_request = lambda *_: None
        assert (native.get(id_).tries, native.get(id_).stop) == (attempt.tries + 1, None)


def test_a_server_whose_record_is_of_another_charger_stops_nothing(
    table: TableServer, server: Misbehaving
) -> None:
    recorded = Recorded(server)
    recorded.changes = {"chargerId": "OTHER"}
    with stopping(table, server.port) as native:
        assert outcome(native.stop(native.accepted())) == (504, "outcome-unknown")
        assert recorded.deletes == 0


def test_a_wrong_reply_never_completes_an_unknown_attempt(table: TableServer, server: Misbehaving) -> None:
    server.set_scripts(sends(response(200, b"{}", "Content-Type: application/json")))
    with stopping(table, server.port) as native:
        id_ = native.unknown()
        began = time.time()
        assert outcome(native.stop(id_)) == (504, "outcome-unknown")
        assert native.get(id_).known_state(began) is State.UNKNOWN
        assert outcome(native.stop(str(uuid4()))) == (404, "attempt-unknown")

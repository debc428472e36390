"""A repeat of an unknown start: the server's records are searched within its deadline, and nothing is sent again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import looks, resolutions
from common.journal.attempt import timestamp
from common.transport import Deadline
from local.table import Fault
from tests.integration.calling import LOOPBACK, Caller, calling, request
from tests.integration.misbehaving import hangs, responds_with
from tests.operations.conftest import captured_lines, messages, metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer
    from tests.integration.misbehaving import Misbehaving, Script

STEVE = LOOPBACK | {"dialect": "steve"}
TOKEN = "04A2B3C4D5E6"
WORD = {"outcome": "accepted", "status": "Accepted", "connectorId": 1, "errorCode": "NoError", "info": None}


def records(*rows: dict[str, Any]) -> Script:
    return responds_with(200, json.dumps(list(rows)).encode())


def row(began: float, **changes: Any) -> dict[str, Any]:
    """Return a row of SteVe's, of a charge that began at `began`."""
    members = {"id": 7, "chargeBoxId": "CP-1", "connectorId": 1, "ocppIdTag": TOKEN.lower()}
    return {**members, "startTimestamp": timestamp(began), "stopTimestamp": None, **changes}


@pytest.fixture
def steve(table: TableServer) -> Iterator[Caller]:
    with calling(table, STEVE, LINK_TIMEOUT="0.3") as caller:
        yield caller


@pytest.fixture
def unknown(steve: Caller, server: Misbehaving) -> dict[str, Any]:
    """Return a start whose outcome is unknown."""
    server.set_scripts(hangs)
    members = request(server.port)
    assert steve.post(members).outcome == "unknown"
    server.requests.clear()
    return members


def soon() -> Deadline:
    return Deadline.after(5)


def methods(server: Misbehaving) -> list[str]:
    return [one.method for one in server.requests]


def test_a_repeat_finds_the_charge_and_receives_the_same_reply_as_a_replay(
    steve: Caller, server: Misbehaving, unknown: dict[str, Any]
) -> None:
    server.set_scripts(records(row(time.time())))
    early = steve.post(unknown)
    assert (early.status, early.outcome) == (504, "unknown")
    assert "send the same id again in 10 seconds" in early.body["detail"]
    with captured_lines() as lines:
        found = steve.at(11).post(unknown)
    assert (found.status, found.outcome, found.body["status"]) == (200, "accepted", "Accepted")
    assert found.headers["Idempotent-Replayed"] == "true"
    assert metrics(lines)["Found", frozenset({("service", "charger-connect")})] == 1
    assert methods(server) == ["GET", "GET"]
    assert steve.post(unknown).body == found.body
    assert methods(server) == ["GET", "GET"], "a completed attempt is not looked for"


def test_a_repeat_that_finds_nothing_says_until_when(
    steve: Caller, server: Misbehaving, unknown: dict[str, Any]
) -> None:
    server.set_scripts(records())
    reply = steve.post(unknown)
    assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
    until = steve.get(unknown["id"]).body["nothingFoundUntil"]
    assert f"Until {until}, the OCPP server's records showed no charge" in reply.body["detail"]
    server.set_scripts(hangs)
    again = steve.post(unknown)
    assert f"Until {until}, " in again.body["detail"], "what is known does not depend on the server"


def test_a_charge_that_may_be_another_attempts_is_not_returned(
    steve: Caller, server: Misbehaving, unknown: dict[str, Any]
) -> None:
    steve.post(request(server.port))
    server.set_scripts(records(row(time.time())))
    steve.post(unknown)
    reply = steve.at(11).post(unknown)
    assert (reply.status, reply.outcome) == (504, "unknown")
    assert "or another one's" in reply.body["detail"]


def test_an_attempt_from_before_the_digest_is_found_with_the_token_of_its_repeat(
    steve: Caller, server: Misbehaving, table: TableServer, unknown: dict[str, Any]
) -> None:
    (item,) = table.items()
    table.call(
        "PutItem",
        {
            "TableName": table.name,
            "Item": {k: v for k, v in item.items() if k not in ("digest", "shard", "dueAt")},
        },
    )
    server.set_scripts(records(row(time.time())))
    steve.post(unknown)
    assert steve.at(11).post(unknown).outcome == "accepted"


@pytest.mark.parametrize("entry", [{"enabled": False}, {"basePath": "/other"}])
def test_the_server_of_the_start_is_called_or_nobody(
    table: TableServer, server: Misbehaving, unknown: dict[str, Any], entry: dict[str, Any]
) -> None:
    server.set_scripts(records())
    with calling(table, STEVE | entry) as caller:
        reply = caller.post(unknown)
    assert (reply.status, reply.outcome) == (504, "unknown")
    assert methods(server) == (["GET"] if "enabled" in entry else [])


def test_a_server_without_records_is_not_called(table: TableServer, server: Misbehaving) -> None:
    server.set_scripts(hangs)
    members = request(server.port)
    with calling(table, LOOPBACK | {"dialect": "ocpp-core"}, LINK_TIMEOUT="0.3") as caller:
        assert caller.post(members).outcome == "unknown"
        server.requests.clear()
        reply = caller.post(members)
    assert (reply.outcome, server.requests) == ("unknown", [])


def test_a_look_that_cannot_be_recorded_is_not_returned_as_found(
    steve: Caller, server: Misbehaving, table: TableServer, unknown: dict[str, Any]
) -> None:
    server.set_scripts(records(row(time.time())))
    steve.post(unknown)
    denied = Fault(apply=False, error="AccessDeniedException")
    seen = len(server.requests)
    table.on_request = lambda operation, _: (
        denied if operation == "UpdateItem" and len(server.requests) > seen else None
    )
    assert steve.at(11).post(unknown).outcome == "unknown"
    table.on_request = lambda *_: None
    assert steve.get(unknown["id"]).body["state"] == "unknown"


def resolved(caller: Caller, table: TableServer, members: dict[str, Any]) -> None:
    """Record an operator's word that nothing was started."""
    journal = caller.at().service.journal
    attempt = journal.get(members["id"], soon())
    assert attempt
    assert journal.apply(resolutions.resolve_not_started(attempt, "n", "olga", time.time()), soon())
    assert len(table.items()) == 1


def task(response: str) -> Script:
    """Return the script of a SteVe whose charger answers a start."""
    results = [{"chargeBoxId": "CP-1", "response": response}]
    lists = {"successResponses": results, "errorResponses": [], "exceptions": []}
    return responds_with(200, json.dumps({"taskId": 1, "taskFinished": True, **lists}).encode())


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (task("Rejected"), "unknown"),
        (
            responds_with(
                400, json.dumps({"message": "No stations are eligible for communication."}).encode()
            ),
            "unknown",
        ),
        (responds_with(401, b"{}"), "unknown"),
        (task("Accepted"), "accepted"),
    ],
    ids=["rejected", "offline", "refused credentials", "accepted"],
)
def test_after_an_operators_word_only_an_acceptance_completes_the_attempt(
    steve: Caller,
    server: Misbehaving,
    table: TableServer,
    unknown: dict[str, Any],
    script: Script,
    outcome: str,
) -> None:
    resolved(steve, table, unknown)
    server.set_scripts(script)
    reply = steve.post(unknown)
    assert reply.outcome == outcome
    assert methods(server) == ["POST"], "the operator allowed one more start"
    server.set_scripts(records())
    again = steve.post(unknown)
    assert again.outcome == outcome
    assert "POST" not in methods(server)[1:], "only a new resolution allows another"
    assert steve.get(unknown["id"]).body["state"] == ("completed" if outcome == "accepted" else "unknown")


def test_a_charge_of_an_earlier_try_that_a_repeat_finds_is_reported(
    steve: Caller, server: Misbehaving, table: TableServer, unknown: dict[str, Any]
) -> None:
    resolved(steve, table, unknown)
    server.set_scripts(hangs)
    assert steve.post(unknown).outcome == "unknown"
    server.set_scripts(records(row(time.time())))
    steve.post(unknown)
    with captured_lines() as lines:
        assert steve.at(11).post(unknown).outcome == "accepted"
    assert metrics(lines)["StartedAfterAll", frozenset({("service", "charger-connect")})] == 1
    assert [line["level"] for line in messages(lines) if line["message"] == "started after all"] == ["ERROR"]


@pytest.mark.parametrize(
    ("word", "answer", "outcome", "metric"),
    [
        ("not-started", "Accepted", "accepted", "StartedAfterAll"),
        ("not-started", "Rejected", "unknown", None),
        ("accepted", "Rejected", "accepted", "Contradictions"),
        ("accepted", "Accepted", "accepted", None),
    ],
)
def test_an_answer_that_arrives_after_an_operators_word_is_compared_with_it(
    steve: Caller,
    server: Misbehaving,
    table: TableServer,
    word: str,
    answer: str,
    outcome: str,
    metric: str | None,
) -> None:
    """The invocation was frozen until its lease was over; an operator resolved the attempt meanwhile."""
    members = request(server.port)
    journal, later = steve.service.journal, time.time() + 200
    respond = task(answer)

    def answers_late(peer: Any) -> None:
        for update in (looks.expire, None):
            attempt = journal.get(members["id"], soon())
            assert attempt
            if update:
                change = update(attempt, later, later)
            elif word == "accepted":
                change = resolutions.resolve_accepted(attempt, "n", "olga", WORD, later)
            else:
                change = resolutions.resolve_not_started(attempt, "n", "olga", later)
            assert journal.apply(change, soon())
        respond(peer)

    server.set_scripts(answers_late)
    with calling(table, STEVE) as caller, captured_lines() as lines:
        reply = caller.post(members)
    assert reply.outcome == outcome
    names = {name for name, _ in metrics(lines)} & {"StartedAfterAll", "Contradictions"}
    assert names == ({metric} if metric else set())
    attempt = journal.get(members["id"], soon())
    assert attempt
    assert attempt.state == ("failed" if outcome == "unknown" else "completed")
    assert ("refused" in (attempt.resolution or {})) is (metric == "Contradictions")

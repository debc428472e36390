"""The reply to each kind of request, what the journal stores, and which requests are refused before a claim."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from local.table import THROTTLED, Fault
from tests.integration.calling import LOOPBACK, Caller, calling, request
from tests.integration.misbehaving import Misbehaving, hangs, responds_with, sends_problem, status_body

if TYPE_CHECKING:
    from local.table import TableServer


@pytest.mark.parametrize(
    ("status", "outcome", "state"),
    [
        ("Accepted", "accepted", "completed"),
        ("Charging", "accepted", "completed"),
        ("Rejected", "rejected", "completed"),
        ("Unavailable", "offline", "failed"),
    ],
)
def test_a_definite_answer_is_a_200(
    status: str, outcome: str, state: str, caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(
        responds_with(
            body=status_body(status=status, connectorId=2, errorCode="WeakSignal", info="connector-busy x")
        )
    )
    members = request(server.port)
    reply = caller.post(members)
    assert (reply.status, reply.outcome) == (200, outcome)
    assert reply.body == {
        "id": members["id"], "chargerId": "CP-1", "connectorId": 2, "errorCode": "WeakSignal", "status": status,
        "info": "connector-busy x",
    }  # fmt: skip
    attempt = caller.get(members["id"]).body
    assert (attempt["state"], attempt["outcome"], attempt["answer"]) == (state, outcome, reply.body)


@pytest.mark.parametrize("token", [None, "", " "])
def test_a_request_without_a_token_reads_the_status_and_starts_nothing(
    token: str | None, caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(responds_with(body=status_body(status="Faulted", errorCode="GroundFailure")))
    members = request(server.port, tokenId=token)
    reply = caller.post(members)
    assert (reply.status, reply.outcome, reply.body["status"]) == (200, "status", "Faulted")
    assert [received.method for received in server.requests] == ["GET"]
    assert caller.get(members["id"]).body["token"] is None


def test_a_status_that_does_not_arrive_started_nothing_and_can_be_requested_again(
    caller: Caller, server: Misbehaving
) -> None:
    caller.service = replace(caller.service, link_timeout=0.2)
    server.set_scripts(hangs)
    members = request(server.port, tokenId=None)
    reply = caller.post(members)
    assert (reply.status, reply.problem, reply.outcome) == (504, "status-unknown", "not-started")
    assert caller.get(members["id"]).body["state"] == "failed"
    server.set_scripts(responds_with(body=status_body(status="Available")))
    caller.service = replace(caller.service, link_timeout=5)
    assert caller.post(members).body["status"] == "Available"


def test_the_request_that_the_server_receives(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    caller.post(members, connector="3")
    (received,) = server.requests
    assert (received.method, received.path) == ("PUT", f"/api/v1/chargers/CP-1/connections/{members['id']}")
    assert received.body == b'{"tokenId": "04A2B3C4D5E6", "connectorId": 3}'
    assert received.headers["host"] == f"127.0.0.1:{server.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["connection"] == "close"
    assert received.headers["prefer"] == "wait=1", (
        "LinkTimeout is 2 s, and the margin for the response's way is 1 s"
    )
    assert not {"cookie", "authorization", "user-agent"} & set(received.headers)


def test_proxies_of_the_environment_are_not_used(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert caller.post(request(server.port)).status == 200


def remove_server(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if not name.startswith("server")}


def test_without_a_server_the_last_one_of_the_charger_is_called(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    caller.post(request(server.port))
    server.set_scripts(responds_with(body=status_body(status="Rejected")))
    assert caller.post(remove_server(request(0))).body["status"] == "Rejected"
    reply = caller.post(remove_server(request(0, chargerId="CP-2")))
    assert (reply.status, reply.fields) == (400, ["serverIpAddress"])


def test_a_server_that_was_never_reached_is_not_remembered(caller: Caller, server: Misbehaving) -> None:
    assert caller.post(request(1)).problem == "server-unreachable"
    assert caller.post(remove_server(request(0))).status == 400
    assert server.requests == []


def test_a_stored_server_that_is_no_longer_allowed_is_replaced_by_the_default(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    other = Misbehaving(responds_with())
    try:
        caller.post(request(other.port))
        entry = {**LOOPBACK, "ports": [server.port]}
        with calling(table, entry, DEFAULT_LINK_SERVER=f"127.0.0.1:{server.port}") as later:
            assert later.post(remove_server(request(0))).status == 200
        assert (len(other.requests), len(server.requests)) == (1, 1)
    finally:
        other.close()


@pytest.mark.parametrize(
    ("changes", "status", "problem", "operations"),
    [
        ({"chargerId": None}, 400, "invalid-request", {}),
        ({"serverIpAddress": "localhost"}, 400, "invalid-request", {}),
        ({"serverRestApiPort": 0}, 400, "invalid-request", {}),
        ({"serverIpAddress": "10.0.0.5"}, 403, "address-not-allowed", {"GetItem": 1}),
        (
            {"serverIpAddress": "169.254.169.254", "serverRestApiPort": 80},
            403,
            "address-not-allowed",
            {"GetItem": 1},
        ),
    ],
)
def test_a_request_that_cannot_be_sent_leaves_no_item(
    changes: dict[str, Any],
    status: int,
    problem: str,
    operations: dict[str, int],
    caller: Caller,
    server: Misbehaving,
    table: TableServer,
) -> None:
    reply = caller.post(request(server.port, **changes))
    assert (reply.status, reply.problem) == (status, problem)
    assert (table.items(), server.requests, table.operations) == ([], [], operations)


def test_a_refusal_contains_no_address_and_no_token(caller: Caller, server: Misbehaving) -> None:
    reply = caller.post(request(server.port, serverIpAddress="10.11.12.13"))
    for secret in ("10.11.12.13", "04A2B3C4D5E6", str(server.port)):
        assert secret not in str(reply.body)


@pytest.mark.parametrize("paused", [{"PAUSED": "true"}, {}], ids=["all", "one server"])
def test_paused_starts_leave_no_item_and_do_not_affect_statuses(
    paused: dict[str, str], server: Misbehaving, table: TableServer
) -> None:
    with calling(table, {**LOOPBACK, "enabled": bool(paused)}, **paused) as caller:
        reply = caller.post(request(server.port))
        assert (reply.status, reply.problem, reply.outcome) == (503, "starts-paused", "not-started")
        assert int(reply.headers["Retry-After"]) >= 1
        assert (server.requests, table.items()) == ([], [])
        server.set_scripts(responds_with(body=status_body(status="Available")))
        assert caller.post(request(server.port, tokenId=None)).status == 200


def test_an_open_circuit_is_decided_before_claim_and_another_server_is_not_touched(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    caller.service = replace(caller.service, link_timeout=0.15)
    server.set_scripts(hangs)
    for charger in ("CP-1", "CP-2", "CP-3"):
        assert caller.post(request(server.port, chargerId=charger)).status == 504
    received, items = len(server.starts), len(table.items())
    reply = caller.post(request(server.port, chargerId="CP-4"))
    assert (reply.status, reply.problem, reply.outcome) == (503, "circuit-open", "not-started")
    assert 1 <= int(reply.headers["Retry-After"]) <= 10
    assert (len(server.starts), len(table.items())) == (received, items)
    other = Misbehaving(responds_with())
    try:
        caller.service = replace(caller.service, link_timeout=5)
        assert caller.post(request(other.port)).status == 200
    finally:
        other.close()


def test_a_silent_charger_does_not_open_the_circuit_of_the_others(
    caller: Caller, server: Misbehaving
) -> None:
    caller.service = replace(caller.service, link_timeout=0.1)
    server.set_scripts(hangs)
    for _ in range(5):
        assert caller.post(request(server.port, chargerId="CP-5")).status == 504
    server.set_scripts(responds_with())
    caller.service = replace(caller.service, link_timeout=5)
    assert caller.post(request(server.port)).status == 200


@pytest.mark.parametrize("code", [500, 503, 504, 404])
def test_any_response_of_a_server_keeps_its_circuit_closed(
    code: int, caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(sends_problem(code))
    for number in range(6):
        assert caller.post(request(server.port, chargerId=f"CP-{number}")).problem != "circuit-open"


def test_the_caller_cannot_reach_a_server_behind_the_name_of_another_header(
    caller: Caller, server: Misbehaving
) -> None:
    """The connection is opened to the checked address, regardless of the request's headers."""
    caller.post(request(server.port, host="169.254.169.254", server="x"))
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


def test_an_earlier_start_that_may_run_is_never_reported_as_not_started(
    server: Misbehaving, table: TableServer
) -> None:
    """While starts are paused or the circuit is open, no start is sent; an earlier request with the id is still reported.

    While they are paused, a repeat of the unknown one still searches the server's records."""
    done, unknown, failed = (request(server.port) for _ in range(3))
    with calling(table) as caller:
        assert caller.post(done).status == 200
        server.set_scripts(responds_with(500, b"{}", "text/plain"))
        assert caller.post(unknown).outcome == "unknown"
        server.set_scripts(sends_problem(503))
        assert caller.post(failed).outcome == "not-started"
    before, items = len(server.requests), table.items()
    with calling(table, PAUSED="true") as paused, calling(table) as broken:
        for _ in range(3):
            broken.service.circuits.failed(f"127.0.0.1:{server.port}", None)
        for caller, refusal in ((paused, "starts-paused"), (broken, "circuit-open")):
            reply = caller.post(done)
            assert (reply.status, reply.outcome) == (200, "accepted")
            assert reply.headers["Idempotent-Replayed"] == "true"
            reply = caller.post(unknown)
            assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
            assert "Retry-After" not in reply.headers
            for members in (failed, request(server.port)):
                reply = caller.post(members)
                assert (reply.status, reply.problem, reply.outcome) == (503, refusal, "not-started")
            assert caller.post(done, caller="mallory").problem == "id-reused"
    assert [one.method for one in server.requests[before:]] == ["GET"]
    assert sorted(map(str, table.items())) == sorted(map(str, items))


def test_an_attempt_in_progress_is_never_reported_as_not_started(
    server: Misbehaving, table: TableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charger_connect.flow._SETTLE_RESERVE", 0.5)
    members = request(server.port)
    table.on_request = lambda *_: THROTTLED if server.starts else None
    with calling(table) as caller:
        assert caller.post(members, left=4.0).outcome == "unknown"
    table.on_request = lambda *_: None
    with calling(table, PAUSED="true") as paused:
        reply = paused.post(members)
        assert (reply.status, reply.outcome) == (409, "pending")
        assert paused.at(60).post(members).outcome == "unknown"


def test_a_silent_secrets_manager_leaves_time_to_settle(server: Misbehaving, table: TableServer) -> None:
    """Otherwise the invocation would end before it records that nothing was sent."""
    members = request(server.port)
    with closing(Misbehaving(hangs)) as silent:
        endpoint = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{silent.port}"}
        with calling(table, {**LOOPBACK, "secret": "steve"}, **endpoint) as caller:
            reply = caller.post(members, left=6.0)
            assert silent.connections
            assert (reply.status, reply.problem, reply.outcome) == (502, "server-refused", "not-started")
            assert "secret" in reply.body["detail"]
            assert caller.get(members["id"]).body["state"] == "failed"
    assert server.connections == 0


@pytest.mark.parametrize("token", ["04A2B3C4D5E6", None], ids=["start", "status"])
def test_a_takeover_that_the_table_rejects_never_suggests_a_new_start(
    token: str | None, caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    """The first write has returned the earlier attempt, which may have started a charge; a status starts nothing."""
    members = request(server.port, tokenId=token)
    caller.service = replace(caller.service, link_timeout=0.2)
    server.set_scripts(hangs)
    settles = "#state = :pending AND #owner = :mine"
    table.on_request = lambda _, body: _throttle_if(settles in body["ConditionExpression"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charger_connect.flow._SETTLE_RESERVE", 0.2)
        reply = caller.post(members, left=3.0)
    assert (reply.status, reply.outcome) == (504, "unknown" if token else "not-started")
    received = len(server.requests)
    table.on_request = lambda _, body: _throttle_if(":theirs" in body["ExpressionAttributeValues"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 2.0)
        reply = caller.at(60).post(members)
    assert len(server.requests) == received
    if token:
        assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
        assert "Retry-After" not in reply.headers
        assert reply.body["instance"].endswith(members["id"])
    else:
        assert (reply.status, reply.problem, reply.outcome) == (503, "journal-unavailable", "not-started")


def _throttle_if(condition: bool) -> Fault | None:
    return THROTTLED if condition else None


def test_the_reply_while_the_table_fails_asks_for_the_same_id(
    server: Misbehaving, table: TableServer
) -> None:
    members = request(server.port)
    with calling(table) as caller:
        server.set_scripts(responds_with(500, b"{}", "text/plain"))
        assert caller.post(members).outcome == "unknown"
        table.on_request = lambda *_: THROTTLED
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 0.2)
            reply = caller.post(members)
    assert (reply.status, reply.problem) == (503, "journal-unavailable")
    assert "this request sent nothing" in reply.body["detail"]
    assert "the same id" in reply.body["detail"]

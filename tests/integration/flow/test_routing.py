"""Repeats whose server may not be called now, ids that are used twice, and the server of a request that names none."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from common.journal import fingerprint
from common.journal.attempt import attribute, timestamp
from local.table import THROTTLED
from tests.integration.calling import LOOPBACK, Caller, calling, request
from tests.integration.misbehaving import Misbehaving, responds_with, sends, sends_problem, status_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.table import TableServer

ZEROS = str(UUID(int=0))
ACCEPTED = {
    "outcome": "accepted",
    "status": "Accepted",
    "connectorId": 0,
    "errorCode": "NoError",
    "info": None,
}


def request_without_server(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in request(0, **changes).items() if not name.startswith("server")}


@pytest.fixture
def other() -> Iterator[Misbehaving]:
    """A second OCPP server, which accepts everything."""
    with closing(Misbehaving(responds_with())) as other:
        yield other


@pytest.fixture
def later_caller(table: TableServer) -> Iterator[Caller]:
    """The same deployment after all servers were removed from LinkServers."""
    with calling(table, {**LOOPBACK, "ports": [1]}) as later_caller:
        yield later_caller


def put(
    table: TableServer, id_: str, state: str, server: str = "127.0.0.1:9", age: float = 0.0, **more: Any
) -> None:
    """Store an attempt at CP-1 without a request; `age` is in seconds."""
    values = {
        "id": id_,
        "chargerId": "CP-1",
        "state": state,
        "server": server,
        "dialect": "native",
        "token": "****",
        "owner": "somebody",
        "lease": time.time() + 20,
        "fingerprint": b"another",
        "createdAt": timestamp(time.time() - age),
        "updatedAt": timestamp(time.time() - age),
        **more,
    }
    item = {name: attribute(value) for name, value in values.items()}
    table.call("PutItem", {"TableName": table.name, "Item": item})


# A repeat whose server may not be called now


def test_a_completed_attempt_is_replayed_after_its_server_left_link_servers(
    caller: Caller, later_caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    members = request(server.port)
    first = caller.post(members)
    table.operations.clear()
    again = later_caller.post(members)
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert table.operations == {"GetItem": 1}
    assert later_caller.post({**members, "serverIpAddress": "::ffff:127.0.0.1"}).status == 200
    assert len(server.starts) == 1


def test_an_attempt_that_is_not_completed_is_reported_as_it_is(
    caller: Caller, later_caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    unknown, failed, pending = (request(server.port) for _ in range(3))
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(unknown).outcome == "unknown"
    server.set_scripts(sends_problem(503))
    assert caller.post(failed).outcome == "not-started"
    fields = ("CP-1", pending["tokenId"], f"127.0.0.1:{server.port}", None, "alice")
    put(table, pending["id"], "pending", fingerprint=fingerprint(caller.service.secret, *fields))
    before = table.items()
    reply = later_caller.post(unknown)
    assert (reply.status, reply.problem, reply.outcome) == (504, "outcome-unknown", "unknown")
    assert "Retry-After" not in reply.headers
    reply = later_caller.post(pending)
    assert (reply.status, reply.problem, reply.outcome) == (409, "attempt-in-progress", "pending")
    assert int(reply.headers["Retry-After"]) >= 1
    for members in (failed, request(server.port)):
        assert (later_caller.post(members).status, later_caller.post(members).problem) == (
            403,
            "address-not-allowed",
        )
    assert sorted(map(str, table.items())) == sorted(map(str, before))


def test_an_id_of_another_request_is_a_mismatch_for_any_server(
    caller: Caller, later_caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port)
    caller.post(members)
    for reply in (
        later_caller.post(members, caller="mallory"),
        later_caller.post({**members, "tokenId": "other"}),
    ):
        assert (reply.status, reply.problem) == (422, "id-reused")
        assert reply.body["instance"].endswith(members["id"])


def test_a_status_that_can_be_requested_again_is_refused_like_a_new_one(
    caller: Caller, later_caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port, tokenId=None)
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(members).outcome == "not-started"
    assert later_caller.post(members).problem == "address-not-allowed"


def test_a_request_that_names_no_server_is_replayed_after_its_server_is_no_longer_known(
    server: Misbehaving, table: TableServer
) -> None:
    members = request_without_server()
    with calling(table, DEFAULT_LINK_SERVER=f"127.0.0.1:{server.port}") as caller:
        first = caller.post(members)
    for number in range(100):
        put(table, str(uuid4()), "failed", age=-number)
    with calling(table) as later:
        again = later.post(members)
        assert later.post(request_without_server()).fields == ["serverIpAddress"]
    assert (again.status, again.body, again.headers["Idempotent-Replayed"]) == (200, first.body, "true")
    assert len(server.starts) == 1


def test_while_the_table_cannot_be_read_an_earlier_request_is_not_reported(
    later_caller: Caller, server: Misbehaving, table: TableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 0.2)
    table.on_request = lambda *_: THROTTLED
    reply = later_caller.post(request(server.port))
    assert (reply.status, reply.problem) == (503, "journal-unavailable")
    assert "the same id" in reply.body["detail"]


def test_a_refused_address_is_counted_with_the_refusal_and_not_with_a_replay(
    caller: Caller, later_caller: Caller, server: Misbehaving, capsys: pytest.CaptureFixture[str]
) -> None:
    members = request(server.port)
    caller.post(members)
    capsys.readouterr()
    later_caller.post(members)
    assert "AddressesRefused" not in capsys.readouterr().out
    later_caller.post(request(server.port))
    assert '"AddressesRefused":[1.0]' in capsys.readouterr().out


# An id that belongs to another attempt


@pytest.mark.parametrize("id_", [None, ZEROS], ids=["id", "zeros"])
@pytest.mark.parametrize(
    ("script", "token"),
    [
        (responds_with(), "04A2B3C4D5E6"),
        (responds_with(body=status_body(status="Charging")), "04A2B3C4D5E6"),
        (responds_with(500, b"{}", "text/plain"), "04A2B3C4D5E6"),
        (sends(b"HTTP/1.1 nonsense\r\n\r\n"), "04A2B3C4D5E6"),
    ],
    ids=["accepted", "charging", "unknown", "no answer"],
)
def test_a_mismatch_points_to_an_attempt_that_may_have_started_a_charge(
    script: Callable[..., None], token: str, id_: str | None, caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(script)
    members = request(server.port, tokenId=token, **({"id": id_} if id_ else {}))
    caller.post(members)
    assert_response_points_to_the_attempt(caller, members)


@pytest.mark.parametrize("id_", [str(uuid4()), ZEROS], ids=["id", "zeros"])
@pytest.mark.parametrize("left", [20, -20], ids=["alive", "died"])
def test_a_mismatch_points_to_a_pending_attempt(
    left: int, id_: str, caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    put(table, id_, "pending", lease=time.time() + left)
    assert_response_points_to_the_attempt(caller, request(server.port, id=id_))


def assert_response_points_to_the_attempt(caller: Caller, members: dict[str, Any]) -> None:
    reply = caller.post(members, caller="the same one under another name")
    detail = reply.body["detail"]
    assert (reply.status, reply.problem) == (422, "id-reused")
    assert detail.startswith("Look at `instance`")
    assert reply.body["instance"].endswith(members["id"])
    assert "A different request needs an id of its own." in detail
    assert not {"new", "send", "again"} & set(detail.lower().replace(".", " ").split())
    assert ("all zeros" in detail) is (members["id"] == ZEROS)


@pytest.mark.parametrize("id_", [None, ZEROS], ids=["id", "zeros"])
@pytest.mark.parametrize(
    ("script", "token"),
    [
        (responds_with(body=status_body(status="Rejected")), "04A2B3C4D5E6"),
        (responds_with(body=status_body(status="Unavailable")), "04A2B3C4D5E6"),
        (sends_problem(503), "04A2B3C4D5E6"),
        (responds_with(body=status_body(status="Available")), None),
        (responds_with(500, b"{}", "text/plain"), None),
    ],
    ids=["rejected", "offline", "failed", "status", "status unknown"],
)
def test_a_mismatch_with_an_attempt_that_started_nothing_asks_for_an_id_per_request(
    script: Callable[..., None], token: str | None, id_: str | None, caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(script)
    members = request(server.port, tokenId=token, **({"id": id_} if id_ else {}))
    caller.post(members)
    reply = caller.post(members, caller="mallory")
    assert (reply.status, reply.problem) == (422, "id-reused")
    assert "started no charge" in reply.body["detail"]
    assert "A different request needs a new GUID" in reply.body["detail"]
    assert ("all zeros" in reply.body["detail"]) is (id_ == ZEROS)


# A request that names no server


def test_eleven_offline_attempts_do_not_hide_a_chargers_server(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    caller.post(request(server.port))
    server.set_scripts(responds_with(body=status_body(status="Unavailable")))
    for _ in range(11):
        assert caller.post(request(server.port)).outcome == "offline"
    assert caller.post(request_without_server()).outcome == "offline"
    server.set_scripts(responds_with())
    table.operations.clear()
    assert caller.post(request_without_server()).outcome == "accepted"
    assert table.operations == {"Query": 2, "BatchGetItem": 2, "UpdateItem": 2}


def test_no_more_than_a_hundred_attempts_are_read(
    caller: Caller, server: Misbehaving, table: TableServer
) -> None:
    put(table, str(uuid4()), "completed", f"127.0.0.1:{server.port}", age=200, answer=ACCEPTED)
    for number in range(99):
        put(table, str(uuid4()), "failed", age=number)
    assert caller.post(request_without_server(tokenId=None)).status != 400
    table.clear()
    put(table, str(uuid4()), "completed", f"127.0.0.1:{server.port}", age=200, answer=ACCEPTED)
    for number in range(100):
        put(table, str(uuid4()), "failed", age=number)
    table.operations.clear()
    assert caller.post(request_without_server()).fields == ["serverIpAddress"]
    assert (table.operations["Query"], table.operations["UpdateItem"]) == (2, 0)


def test_one_request_with_a_wrong_port_does_not_redirect_other_requests(
    caller: Caller, server: Misbehaving, other: Misbehaving
) -> None:
    caller.post(request(server.port))
    other.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(request(other.port), caller="mallory").outcome == "unknown"
    received = len(other.requests)
    assert caller.post(request_without_server()).outcome == "accepted"
    assert (len(server.starts), len(other.requests)) == (2, received)


def test_an_unknown_attempt_does_not_override_the_default_server(
    server: Misbehaving, other: Misbehaving, table: TableServer
) -> None:
    other.set_scripts(responds_with(500, b"{}", "text/plain"))
    with calling(table, DEFAULT_LINK_SERVER=f"127.0.0.1:{server.port}") as caller:
        assert caller.post(request(other.port), caller="mallory").outcome == "unknown"
        received = len(other.requests)
        assert caller.post(request_without_server()).outcome == "accepted"
    assert (len(server.starts), len(other.requests)) == (1, received)


def test_without_any_other_server_the_one_of_an_unknown_attempt_is_used(
    caller: Caller, server: Misbehaving
) -> None:
    server.set_scripts(responds_with(500, b"{}", "text/plain"))
    assert caller.post(request(server.port)).outcome == "unknown"
    server.set_scripts(responds_with())
    assert caller.post(request_without_server()).outcome == "accepted"


@pytest.mark.parametrize("info", ["token-too-long", "token-refused", "not-supported a slash in a token"])
def test_a_rejection_made_before_the_charger_was_asked_proves_no_server(
    info: str, caller: Caller, server: Misbehaving, other: Misbehaving
) -> None:
    caller.post(request(server.port))
    other.set_scripts(responds_with(body=status_body(status="Rejected", info=info)))
    assert caller.post(request(other.port)).outcome == "rejected"
    assert caller.post(request_without_server()).outcome == "accepted"
    assert (len(server.starts), len(other.starts)) == (2, 1)


@pytest.mark.parametrize(
    "info", [None, "charger-refused", "connector-busy TxInProgress", "not-supported SecurityError"]
)
def test_a_rejection_by_the_charger_proves_its_server(
    info: str | None, caller: Caller, server: Misbehaving, other: Misbehaving
) -> None:
    caller.post(request(server.port))
    other.set_scripts(
        responds_with(body=json.dumps(json.loads(status_body(status="Rejected")) | {"info": info}).encode())
    )
    assert caller.post(request(other.port)).outcome == "rejected"
    assert caller.post(request_without_server()).outcome == "rejected"
    assert (len(server.starts), len(other.starts)) == (1, 2)

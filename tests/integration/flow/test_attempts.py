"""Reading the journal through its function: one attempt, and a charger's attempts page by page."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.table import Fault
from tests.integration.calling import Caller, request
from tests.integration.misbehaving import Misbehaving, responds_with, status_body

if TYPE_CHECKING:
    from local.table import TableServer


def create_attempts(caller: Caller, server: Misbehaving, count: int, charger: str = "CP-1") -> list[str]:
    """Create this many attempts, and return their ids, newest first."""
    server.set_scripts(responds_with(body=status_body(charger)))
    ids = []
    for _ in range(count):
        members = request(server.port, chargerId=charger)
        assert caller.post(members).status == 200
        ids.append(members["id"])
    return ids[::-1]


def ids(reply: Any) -> list[str]:
    return [attempt["id"] for attempt in reply.body["attempts"]]


def test_an_attempt_is_returned_as_its_caller_received_it(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    received = caller.post(members, connector="1").body
    reply = caller.get(members["id"])
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    attempt = reply.body
    assert attempt["answer"] == received
    assert (attempt["state"], attempt["outcome"], attempt["tries"], attempt["problem"]) == (
        "completed",
        "accepted",
        1,
        None,
    )
    assert (attempt["server"], attempt["dialect"]) == (f"127.0.0.1:{server.port}", "native")
    assert (attempt["token"], attempt["caller"], attempt["connectorId"]) == ("****D5E6", "alice", 1)
    assert set(attempt["milliseconds"]) == {"claim", "link"}
    assert members["tokenId"] not in str(attempt)


@pytest.mark.parametrize("form", [str.upper, lambda id_: f"{{{id_}}}", lambda id_: id_.replace("-", "")])
def test_an_id_is_read_in_the_forms_of_the_contract(form: Any, caller: Caller, server: Misbehaving) -> None:
    (id_,) = create_attempts(caller, server, 1)
    assert caller.get(form(id_)).body["id"] == id_


def test_an_unknown_attempt_is_a_404(caller: Caller) -> None:
    reply = caller.get(str(uuid4()))
    assert (reply.status, reply.problem) == (404, "attempt-unknown")
    assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8"


@pytest.mark.parametrize(
    "id_", ["x", "", "../", "5", "3f2504e0-4f89-11d3-9a0c-0305e82c330", "\ud83d", "x" * 5000]
)
def test_an_invalid_id_is_reported_with_its_field(id_: str, caller: Caller, table: TableServer) -> None:
    reply = caller.get(id_)
    assert (reply.status, reply.fields) == (400, ["id"])
    assert not table.operations


def test_a_chargers_attempts_newest_first(caller: Caller, server: Misbehaving, table: TableServer) -> None:
    expected = create_attempts(caller, server, 7)
    create_attempts(caller, server, 2, charger="CP-2")
    table.operations.clear()
    reply = caller.list("CP-1")
    assert ids(reply) == expected
    assert reply.body["next"] is None
    assert table.operations == {"Query": 1, "BatchGetItem": 1}


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_contain_each_attempt_once(limit: int, caller: Caller, server: Misbehaving) -> None:
    expected = create_attempts(caller, server, 7)
    found: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        reply = caller.list("CP-1", limit=str(limit), **({"next": cursor} if cursor else {}))
        assert len(ids(reply)) <= limit
        found += ids(reply)
        cursor, pages = reply.body["next"], pages + 1
    assert found == expected
    assert pages <= 7 // limit + 1


def test_an_attempt_that_is_added_meanwhile_does_not_change_the_pages(
    caller: Caller, server: Misbehaving
) -> None:
    expected = create_attempts(caller, server, 4)
    first = caller.list("CP-1", limit="2")
    create_attempts(caller, server, 1)
    second = caller.list("CP-1", limit="2", next=first.body["next"])
    assert ids(first) + ids(second) == expected


def test_a_cursor_of_one_charger_returns_nothing_of_another(caller: Caller, server: Misbehaving) -> None:
    create_attempts(caller, server, 3, charger="CP-1")
    of_second = create_attempts(caller, server, 3, charger="CP-2")
    cursor = caller.list("CP-1", limit="1").body["next"]
    assert set(ids(caller.list("CP-2", next=cursor))) <= set(of_second)


@pytest.mark.parametrize("charger", ["CP-9", "a/b", "Zähler🚗", "..", "x" * 255, "a\x00b"])
def test_a_charger_without_attempts_has_an_empty_page(charger: str, caller: Caller) -> None:
    reply = caller.list(charger)
    assert (reply.status, reply.body) == (200, {"attempts": [], "next": None})


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.0", "٣", "1e2", " 5", "9" * 999])
def test_an_invalid_limit_is_reported_with_its_field(limit: str, caller: Caller, table: TableServer) -> None:
    reply = caller.list("CP-1", limit=limit)
    assert (reply.status, reply.fields) == (400, ["limit"])
    assert not table.operations


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ä",
        "bm90IGpzb24",
        "[]",
        urlsafe_b64encode(b"[" * 5000).decode(),
        urlsafe_b64encode(b'["a","b"]').decode(),
    ],
)
def test_an_invalid_cursor_is_reported_with_its_field(
    cursor: str, caller: Caller, table: TableServer
) -> None:
    reply = caller.list("CP-1", next=cursor)
    assert (reply.status, reply.fields) == (400, ["next"])
    assert not table.operations


@pytest.mark.parametrize("charger", ["", "x" * 256])
def test_an_invalid_charger_is_reported_with_its_field(
    charger: str, caller: Caller, table: TableServer
) -> None:
    reply = caller.list(charger)
    assert (reply.status, reply.fields) == (400, ["chargerId"])
    assert not table.operations


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerError", "ResourceNotFoundException"])
def test_a_journal_that_cannot_be_read_is_a_503(
    error: str, caller: Caller, table: TableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attempts.handler._TIMEOUT", 0.3)
    table.on_request = lambda *_: Fault(apply=False, error=error)
    for reply in (caller.get(str(uuid4())), caller.list("CP-1")):
        assert (reply.status, reply.problem) == (503, "journal-unavailable")
        assert reply.outcome == "unknown"  # nothing is known about the attempt that was to be read
        assert reply.headers["Retry-After"] == "1"

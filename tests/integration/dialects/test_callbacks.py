"""Callbacks: forged, repeated, early and late, each also with another start outstanding on that charger."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import callbacks
from common.journal.attempt import Attempt
from local.chargers import Behaviour, Reaction
from local.server import Dropped
from local.simulators import CitrineOS
from local.simulators.serving import connected_identities
from local.table import Fault
from tests.integration.dialects.deployed import SECRET, Deployed, call_back, deployed
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.server import Request, Response
    from local.table import TableServer

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
SILENT = Behaviour("CP", reaction=Reaction.SILENT)
OUTSTANDING = pytest.mark.parametrize("outstanding", [False, True], ids=["alone", "another outstanding"])


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    """A charge point that never answers: nothing calls back but the tests."""
    with deployed(table, [SILENT], LINK_TIMEOUT="0.3") as stack:
        yield stack


@pytest.fixture
def other(stack: Deployed, outstanding: bool) -> Iterator[None]:
    """Another start that the same charger has not answered; whatever a test does leaves its attempt as it was."""
    if not outstanding:
        yield
        return
    members = stack.request("CP", tokenId="ANOTHER-DRIVER")
    assert stack.caller.post(members).status == 504
    before = stack.item(members["id"])
    yield
    assert stack.item(members["id"]) == before


def unknown(stack: Deployed) -> str:
    """The id of a start that was published and never called back."""
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    assert stack.state(members["id"]) == ("unknown", None)
    return str(members["id"])


@OUTSTANDING
@pytest.mark.parametrize(("body", "outcome"), [(ACCEPTED, "accepted"), (REJECTED, "rejected")])
def test_a_late_one_settles_what_was_unknown(
    stack: Deployed, other: None, body: dict[str, Any], outcome: str
) -> None:
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    assert call_back(stack.url_of(members["id"]), body) == (204, b"")
    shown = stack.caller.get(members["id"]).body
    assert (shown["state"], shown["outcome"], shown["problem"]) == ("completed", outcome, None)
    again = stack.caller.post(members)
    assert (again.status, again.outcome, again.body) == (200, outcome, shown["answer"])
    assert again.headers["Idempotent-Replayed"] == "true"


@OUTSTANDING
def test_a_repeated_one_is_heard_and_changes_nothing(stack: Deployed, other: None) -> None:
    id_ = unknown(stack)
    url = stack.url_of(id_)
    assert call_back(url, ACCEPTED) == (204, b"")
    settled = stack.item(id_)
    for body in (ACCEPTED, REJECTED, {"_errorCode": "NotSupported"}, {"status": "Perhaps"}):
        assert call_back(url, body) == (204, b"")
    assert stack.item(id_) == settled


@OUTSTANDING
def test_one_that_comes_while_the_call_waits_is_its_answer(
    table: TableServer, stack: Deployed, other: None, outstanding: bool
) -> None:
    members = stack.request("CP")
    heard = []
    stack.caller.service = _patient(stack)
    waiting = Thread(target=lambda: heard.append(stack.caller.post(members)))
    waiting.start()
    url = stack.url_of(members["id"])
    assert stack.state(members["id"]) == ("pending", None)
    assert call_back(url, ACCEPTED) == (204, b"")
    waiting.join()
    assert (heard[0].status, heard[0].body["status"], heard[0].outcome) == (200, "Accepted", "accepted")
    assert stack.state(members["id"]) == ("completed", "accepted")


class Hasty(CitrineOS):
    """Calls back before it answers that the start is published."""

    async def respond(self, request: Request) -> Response:
        response = await super().respond(request)
        for task in list(self._tasks):
            await task
        return response


@OUTSTANDING
def test_one_that_comes_before_the_server_has_answered_is_not_lost(
    table: TableServer, outstanding: bool
) -> None:
    chargers = [Behaviour("CP", connectors=2)]
    with deployed(table, chargers, Hasty()) as stack:
        if outstanding:
            stack.citrineos.calls_back = False
            stack.caller.service = _patient(stack, 0.3)
            first = stack.request("CP")
            assert stack.caller.post(first, connector="2").status == 504
            stack.citrineos.calls_back = True
            stack.caller.service = _patient(stack)
        members = stack.request("CP")
        assert stack.caller.post(members).body["status"] == "Accepted"
        assert stack.state(members["id"]) == ("completed", "accepted")
        if outstanding:
            assert stack.state(first["id"]) == ("unknown", None)


class Forgetful(CitrineOS):
    """Publishes the start, and its answer is lost."""

    async def respond(self, request: Request) -> Response:
        await super().respond(request)
        raise Dropped


@OUTSTANDING
def test_one_whose_start_was_published_by_a_lost_answer_is_still_the_calls_answer(
    table: TableServer, outstanding: bool
) -> None:
    citrineos = Forgetful()
    with deployed(table, [Behaviour("CP", connectors=2)], citrineos) as stack:
        if outstanding:
            citrineos.calls_back = False
            stack.caller.service = _patient(stack, 0.3)
            first = stack.request("CP")
            heard = stack.caller.post(first, connector="2")
            assert (heard.status, heard.outcome) == (504, "unknown")
            assert "no whole answer" in heard.body["detail"]
            citrineos.calls_back = True
            stack.caller.service = _patient(stack)
        members = stack.request("CP")
        heard = stack.caller.post(members)
        assert (heard.status, heard.body["status"], heard.outcome) == (200, "Accepted", "accepted")
        assert stack.state(members["id"]) == ("completed", "accepted")
        assert len(stack.points["CP"].starts) == 1 + outstanding


def test_an_attempt_that_a_callback_settled_says_what_its_steps_took(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP")]) as stack:
        members = stack.request("CP")
        assert stack.caller.post(members).status == 200
        assert sorted(stack.caller.get(members["id"]).body["milliseconds"]) == ["claim", "link"]


@OUTSTANDING
def test_one_that_wins_the_race_with_settling_is_still_a_200(
    table: TableServer, stack: Deployed, other: None
) -> None:
    members = stack.request("CP")

    def on_request(operation: str, body: dict[str, Any]) -> Fault | None:
        values = body.get("ExpressionAttributeValues", {})
        if operation == "UpdateItem" and values.get(":state") == {"S": "unknown"}:
            assert call_back(stack.url_of(members["id"]), ACCEPTED)[0] == 204
        return None

    table.on_request = on_request
    heard = stack.caller.post(members)
    assert (heard.status, heard.body["status"], heard.outcome) == (200, "Accepted", "accepted")
    assert stack.state(members["id"]) == ("completed", "accepted")


@OUTSTANDING
def test_forged_ones_all_hear_the_same_and_change_nothing(stack: Deployed, other: None) -> None:
    id_, another = unknown(stack), unknown(stack)
    base, path = stack.url_of(id_).rsplit("/callbacks/", 1)
    path, query = path.split("?")
    _, expires, signature = path.split("/")
    other_path, other_query = stack.url_of(another).rsplit("/callbacks/", 1)[1].split("?")
    _, other_expires, other_signature = other_path.split("/")
    flipped = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    attempt = Attempt.of(stack.item(id_))
    wrong = query[:-1] + ("0" if query[-1] != "0" else "1")
    forged = [
        f"{id_}/{expires}/{flipped}?{query}",
        f"{id_}/{expires}/{signature.upper()}x?{query}",
        f"{id_}/{int(expires) - 1}/{signature}?{query}",
        f"{id_}/{int(expires) + 86400}/{signature}?{query}",
        f"{id_}/{other_expires}/{other_signature}?{other_query}",
        f"{another}/{expires}/{signature}?{query}",
        f"00000000-0000-0000-0000-000000000001/{expires}/{signature}?{query}",
        f"not-an-id/{expires}/{signature}?{query}",
        f"{id_}/x{expires}/{signature}?{query}",
        f"{id_}/%D9%A1/{signature}?{query}",
        f"{id_}/{'9' * 400}/{signature}?{query}",
        f"{id_}/{expires}/%F0%9F%94%8C?{query}",
        f"{id_}/{expires}/{signature}",  # a path of version 1.0: its attempts have no key
        f"{id_}/{expires}/{signature}?",
        f"{id_}/{expires}/{signature}?{wrong}",
        f"{id_}/{expires}/{signature}?{query}&{query}",
        f"{id_}/{expires}/{signature}?{query.lower()}",
        f"{id_}/{expires}/{signature}?keySignature=%F0%9F%94%8C",
        f"{id_}/{expires}/{signature}?{other_query}",
        f"{id_}/{expires}/{flipped}?keySignature={signature}",
        callbacks.create_path(b"another secret of the tests", attempt, time.time()),
        callbacks.create_path(SECRET.encode(), attempt, time.time() - callbacks.LIFETIME - 1),
        callbacks.create_path(SECRET.encode(), attempt, time.time() + 3600),
    ]
    before = stack.item(id_)
    heard = {call_back(f"{base}/callbacks/{path}", ACCEPTED) for path in forged}
    assert stack.item(id_) == before
    ((status, body),) = heard
    assert status == 404
    assert json.loads(body)["type"] == "/problems/attempt-unknown"
    assert id_.encode() not in body


@OUTSTANDING
def test_one_of_an_earlier_try_is_not_about_this_one(
    table: TableServer, stack: Deployed, other: None
) -> None:
    members = stack.request("CP")
    SILENT.online = False
    try:
        eventually(lambda: "CP" not in connected_identities(stack.citrineos.chargers))
        assert stack.caller.post(members).body["status"] == "Unavailable"
        earlier = callbacks.create_path(SECRET.encode(), Attempt.of(stack.item(members["id"])), time.time())
    finally:
        SILENT.online = True
    eventually(lambda: "CP" in connected_identities(stack.citrineos.chargers))
    assert stack.caller.post(members).status == 504
    assert call_back(f"{stack.gateway.url}/api/v1/ocpp/callbacks/{earlier}", ACCEPTED)[0] == 404
    assert stack.state(members["id"]) == ("unknown", None)
    assert call_back(stack.url_of(members["id"]), ACCEPTED)[0] == 204
    assert stack.caller.get(members["id"]).body["tries"] == 2


@pytest.mark.parametrize(
    ("body", "status", "state"),
    [
        ({"_messageId": "1", "_errorCode": "InternalError", "_errorDetails": {}}, 204, "unknown"),
        ({"_messageId": "1", "_errorCode": "NotImplemented", "_errorDetails": {}}, 204, "completed"),
        ({"_errorCode": ["NotImplemented"]}, 204, "unknown"),
        ({"_errorCode": "InternalError", "status": "Accepted"}, 204, "unknown"),
        ({"status": "Perhaps"}, 204, "unknown"),
        ({"status": ["Accepted"]}, 204, "unknown"),
        ({}, 204, "unknown"),
        ([ACCEPTED], 204, "unknown"),
        ("Accepted", 204, "unknown"),
        (None, 204, "unknown"),
        (b"", 400, "unknown"),
        (b"{", 400, "unknown"),
        (b"\xff", 400, "unknown"),
        (b"[" * 60_000, 400, "unknown"),
        (b'"' + b"x" * 70_000 + b'"', 413, "unknown"),
        ({"status": "Rejected", "statusInfo": {"reasonCode": "InvalidIdToken"}}, 204, "completed"),
        ({"status": "Accepted", "transactionId": "42"}, 204, "completed"),
    ],
)
def test_only_a_definite_answer_settles(stack: Deployed, body: Any, status: int, state: str) -> None:
    id_ = unknown(stack)
    assert call_back(stack.url_of(id_), body)[0] == status
    assert stack.state(id_)[0] == state


def test_what_the_charger_said_is_told_as_the_waiting_call_would_have(stack: Deployed) -> None:
    members = stack.request("CP")
    stack.caller.post(members, connector="7")
    call_back(
        stack.url_of(members["id"]),
        {"status": "Rejected", "statusInfo": {"reasonCode": "TxInProgress", "additionalInfo": "x"}},
    )
    assert stack.caller.get(members["id"]).body["answer"] == {
        "id": members["id"], "chargerId": "CP", "connectorId": 7, "errorCode": "NoError", "status": "Rejected",
        "info": "connector-busy TxInProgress",
    }  # fmt: skip


def test_one_that_cannot_be_recorded_may_be_sent_again(table: TableServer, stack: Deployed) -> None:
    gone = Fault(apply=False, error="ResourceNotFoundException")
    url = stack.url_of(id_ := unknown(stack))
    table.on_request = lambda operation, _: gone if operation == "UpdateItem" else None
    assert call_back(url, ACCEPTED)[0] == 503
    table.on_request = lambda *_: None
    assert stack.state(id_)[0] == "unknown"
    assert call_back(url, ACCEPTED)[0] == 204
    assert stack.state(id_)[0] == "completed"


def test_only_post_reaches_the_route_and_only_attempts_that_wait_for_callbacks(
    table: TableServer, stack: Deployed
) -> None:
    id_ = unknown(stack)
    native = {
        **stack.item(id_),
        "id": {"S": "00000000-0000-0000-0000-000000000002"},
        "dialect": {"S": "native"},
    }
    table.call("PutItem", {"TableName": table.name, "Item": native})
    path = callbacks.create_path(SECRET.encode(), Attempt.of(native), time.time())
    assert call_back(f"{stack.gateway.url}/api/v1/ocpp/callbacks/{path}", ACCEPTED)[0] == 404


def _patient(stack: Deployed, seconds: float = 10.0) -> Any:
    return replace(stack.caller.service, link_timeout=seconds)

"""Callbacks: forged, repeated, early and late. Each test also runs while another start of the charger is pending."""

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
OUTSTANDING = pytest.mark.parametrize(
    "outstanding", [False, True], ids=["one start", "another start pending"]
)


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    """Run a charge point that never answers, so that only the tests send callbacks."""
    with deployed(table, [SILENT], LINK_TIMEOUT="0.3") as stack:
        yield stack


@pytest.fixture
def other(stack: Deployed, outstanding: bool) -> Iterator[None]:
    """Create another start that the charger has not answered. The test must not change its attempt."""
    if not outstanding:
        yield
        return
    members = stack.request("CP", tokenId="ANOTHER-DRIVER")
    assert stack.caller.post(members).status == 504
    before = stack.item(members["id"])
    yield
    assert stack.item(members["id"]) == before


def create_unknown(stack: Deployed) -> str:
    """Return the id of a start that was published and has no callback."""
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    assert stack.state(members["id"]) == ("unknown", None)
    return str(members["id"])


@OUTSTANDING
@pytest.mark.parametrize(("body", "outcome"), [(ACCEPTED, "accepted"), (REJECTED, "rejected")])
def test_a_late_callback_settles_an_unknown_attempt(
    stack: Deployed, other: None, body: dict[str, Any], outcome: str
) -> None:
    members = stack.request("CP")
    assert stack.caller.post(members).status == 504
    assert call_back(stack.url_of(members["id"]), body) == (204, b"")
    attempt = stack.caller.get(members["id"]).body
    assert (attempt["state"], attempt["outcome"], attempt["problem"]) == ("completed", outcome, None)
    again = stack.caller.post(members)
    assert (again.status, again.outcome, again.body) == (200, outcome, attempt["answer"])
    assert again.headers["Idempotent-Replayed"] == "true"


@OUTSTANDING
def test_a_repeated_callback_receives_204_and_changes_nothing(stack: Deployed, other: None) -> None:
    id_ = create_unknown(stack)
    url = stack.url_of(id_)
    assert call_back(url, ACCEPTED) == (204, b"")
    settled = stack.item(id_)
    for body in (ACCEPTED, REJECTED, {"_errorCode": "NotSupported"}, {"status": "Perhaps"}):
        assert call_back(url, body) == (204, b"")
    assert stack.item(id_) == settled


@OUTSTANDING
def test_a_callback_that_arrives_while_the_call_waits_is_its_answer(
    table: TableServer, stack: Deployed, other: None, outstanding: bool
) -> None:
    members = stack.request("CP")
    replies = []
    stack.caller.service = _service_with_timeout(stack)
    waiting = Thread(target=lambda: replies.append(stack.caller.post(members)))
    waiting.start()
    url = stack.url_of(members["id"])
    assert stack.state(members["id"]) == ("pending", None)
    assert call_back(url, ACCEPTED) == (204, b"")
    waiting.join()
    assert (replies[0].status, replies[0].body["status"], replies[0].outcome) == (200, "Accepted", "accepted")
    assert stack.state(members["id"]) == ("completed", "accepted")


class EarlyCitrineOS(CitrineOS):
    """Sends the callback before its response to the start."""

    async def respond(self, request: Request) -> Response:
        response = await super().respond(request)
        for task in list(self._tasks):
            await task
        return response


@OUTSTANDING
def test_a_callback_that_arrives_before_the_servers_response_is_not_lost(
    table: TableServer, outstanding: bool
) -> None:
    chargers = [Behaviour("CP", connectors=2)]
    with deployed(table, chargers, EarlyCitrineOS()) as stack:
        if outstanding:
            stack.citrineos.calls_back = False
            stack.caller.service = _service_with_timeout(stack, 0.3)
            first = stack.request("CP")
            assert stack.caller.post(first, connector="2").status == 504
            stack.citrineos.calls_back = True
            stack.caller.service = _service_with_timeout(stack)
        members = stack.request("CP")
        assert stack.caller.post(members).body["status"] == "Accepted"
        assert stack.state(members["id"]) == ("completed", "accepted")
        if outstanding:
            assert stack.state(first["id"]) == ("unknown", None)


class SilentCitrineOS(CitrineOS):
    """Publishes the start, and closes the connection without a response."""

    async def respond(self, request: Request) -> Response:
        await super().respond(request)
        raise Dropped


@OUTSTANDING
def test_a_callback_after_a_lost_response_is_the_answer_of_the_call(
    table: TableServer, outstanding: bool
) -> None:
    citrineos = SilentCitrineOS()
    with deployed(table, [Behaviour("CP", connectors=2)], citrineos) as stack:
        if outstanding:
            citrineos.calls_back = False
            stack.caller.service = _service_with_timeout(stack, 0.3)
            first = stack.request("CP")
            reply = stack.caller.post(first, connector="2")
            assert (reply.status, reply.outcome) == (504, "unknown")
            assert "no whole answer" in reply.body["detail"]
            citrineos.calls_back = True
            stack.caller.service = _service_with_timeout(stack)
        members = stack.request("CP")
        reply = stack.caller.post(members)
        assert (reply.status, reply.body["status"], reply.outcome) == (200, "Accepted", "accepted")
        assert stack.state(members["id"]) == ("completed", "accepted")
        assert len(stack.points["CP"].starts) == 1 + outstanding


def test_an_attempt_that_a_callback_settled_contains_the_duration_of_its_steps(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP")]) as stack:
        members = stack.request("CP")
        assert stack.caller.post(members).status == 200
        assert sorted(stack.caller.get(members["id"]).body["milliseconds"]) == ["claim", "link"]


@OUTSTANDING
def test_a_callback_just_before_settling_as_unknown_leads_to_a_200(
    table: TableServer, stack: Deployed, other: None
) -> None:
    members = stack.request("CP")

    def on_request(operation: str, body: dict[str, Any]) -> Fault | None:
        values = body.get("ExpressionAttributeValues", {})
        if operation == "UpdateItem" and values.get(":state") == {"S": "unknown"}:
            assert call_back(stack.url_of(members["id"]), ACCEPTED)[0] == 204
        return None

    table.on_request = on_request
    reply = stack.caller.post(members)
    assert (reply.status, reply.body["status"], reply.outcome) == (200, "Accepted", "accepted")
    assert stack.state(members["id"]) == ("completed", "accepted")


@OUTSTANDING
def test_all_forged_callbacks_receive_the_same_response_and_change_nothing(
    stack: Deployed, other: None
) -> None:
    id_, another = create_unknown(stack), create_unknown(stack)
    base, path = stack.url_of(id_).rsplit("/callbacks/", 1)
    path, query = path.split("?")
    _, expires, signature = path.split("/")
    other_path, other_query = stack.url_of(another).rsplit("/callbacks/", 1)[1].split("?")
    _, other_expires, other_signature = other_path.split("/")
    changed_signature = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    attempt = Attempt.of(stack.item(id_))
    changed_query = query[:-1] + ("0" if query[-1] != "0" else "1")
    forged = [
        f"{id_}/{expires}/{changed_signature}?{query}",
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
        f"{id_}/{expires}/{signature}",  # a path of version 1.0, whose attempts have no key
        f"{id_}/{expires}/{signature}?",
        f"{id_}/{expires}/{signature}?{changed_query}",
        f"{id_}/{expires}/{signature}?{query}&{query}",
        f"{id_}/{expires}/{signature}?{query.lower()}",
        f"{id_}/{expires}/{signature}?keySignature=%F0%9F%94%8C",
        f"{id_}/{expires}/{signature}?{other_query}",
        f"{id_}/{expires}/{changed_signature}?keySignature={signature}",
        callbacks.create_path(b"another secret of the tests", attempt, time.time()),
        callbacks.create_path(SECRET.encode(), attempt, time.time() - callbacks.LIFETIME - 1),
        callbacks.create_path(SECRET.encode(), attempt, time.time() + 3600),
    ]
    before = stack.item(id_)
    responses = {call_back(f"{base}/callbacks/{path}", ACCEPTED) for path in forged}
    assert stack.item(id_) == before
    ((status, body),) = responses
    assert status == 404
    assert json.loads(body)["type"] == "/problems/attempt-unknown"
    assert id_.encode() not in body


@OUTSTANDING
def test_a_callback_of_an_earlier_try_does_not_settle_the_current_one(
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
def test_only_a_definite_answer_settles_the_attempt(
    stack: Deployed, body: Any, status: int, state: str
) -> None:
    id_ = create_unknown(stack)
    assert call_back(stack.url_of(id_), body)[0] == status
    assert stack.state(id_)[0] == state


def test_a_late_answer_is_shown_as_the_waiting_call_would_return_it(stack: Deployed) -> None:
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


def test_a_callback_that_cannot_be_recorded_can_be_sent_again(table: TableServer, stack: Deployed) -> None:
    missing_table = Fault(apply=False, error="ResourceNotFoundException")
    url = stack.url_of(id_ := create_unknown(stack))
    table.on_request = lambda operation, _: missing_table if operation == "UpdateItem" else None
    assert call_back(url, ACCEPTED)[0] == 503
    table.on_request = lambda *_: None
    assert stack.state(id_)[0] == "unknown"
    assert call_back(url, ACCEPTED)[0] == 204
    assert stack.state(id_)[0] == "completed"


def test_only_post_reaches_the_route_and_only_attempts_that_wait_for_callbacks(
    table: TableServer, stack: Deployed
) -> None:
    id_ = create_unknown(stack)
    native = {
        **stack.item(id_),
        "id": {"S": "00000000-0000-0000-0000-000000000002"},
        "dialect": {"S": "native"},
    }
    table.call("PutItem", {"TableName": table.name, "Item": native})
    path = callbacks.create_path(SECRET.encode(), Attempt.of(native), time.time())
    assert call_back(f"{stack.gateway.url}/api/v1/ocpp/callbacks/{path}", ACCEPTED)[0] == 404


def _service_with_timeout(stack: Deployed, seconds: float = 10.0) -> Any:
    return replace(stack.caller.service, link_timeout=seconds)

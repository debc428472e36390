"""The whole reply to each state of an attempt."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest

from charger_connect import replies
from charger_connect.request import ConnectRequest
from common.edge.replies import Reply
from common.journal import Attempt, State
from common.wire import OcppStatusResponse, Problem

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
ZERO_ID = "00000000-0000-0000-0000-000000000000"
PATH = f"/api/v1/ocpp/charger-connect/{ID}"
REQUEST = ConnectRequest(id=UUID(ID), chargerId="CP-1", tokenId="TAG1")
ANSWER = {
    "outcome": "accepted",
    "status": "Charging",
    "connectorId": 3,
    "errorCode": "WeakSignal",
    "info": "x",
}
CHECK_FIRST = "Look at `instance` and check the charger"


def attempt(state: State, **changes: Any) -> Attempt:
    return Attempt(ID, "CP-1", state, "", "", **changes)


def problem(reply: Reply) -> Problem:
    assert isinstance(reply.message, Problem)
    return reply.message


def test_a_stored_answer_is_returned_as_it_is() -> None:
    for state in State:
        reply = replies.reply_from_attempt(attempt(state, answer=ANSWER), REQUEST)
        assert reply.headers == {"Connect-Outcome": "accepted"}
        assert reply.message == OcppStatusResponse(
            id=UUID(ID), chargerId="CP-1", connectorId=3, errorCode="WeakSignal", status="Charging", info="x"
        )


@pytest.mark.parametrize(
    ("stored", "kind", "headers", "text"),
    [
        (attempt(State.PENDING), "attempt-in-progress", {"Retry-After": "1"}, "Send the same id again"),
        (attempt(State.UNKNOWN), "outcome-unknown", {}, "The outcome of this attempt is unknown. " + CHECK_FIRST),
        (attempt(State.FAILED), "outcome-unknown", {}, CHECK_FIRST),
        (attempt(State.UNKNOWN, problem={"type": "server-error", "detail": "x"}), "outcome-unknown", {}, CHECK_FIRST),
        (attempt(State.FAILED, problem={"type": "server-error", "detail": "It failed."}), "server-error", {}, "It failed."),
        (attempt(State.FAILED, problem={"type": "server-busy", "detail": "Busy."}), "server-busy", {"Retry-After": "1"}, "Busy."),
        (attempt(State.FAILED, problem={"type": "circuit-open", "detail": "Open."}), "circuit-open", {"Retry-After": "1"}, "Open."),
        (attempt(State.FAILED, problem={"type": "outcome-unknown", "detail": "Lost."}), "outcome-unknown", {}, "Lost. " + CHECK_FIRST),
    ],
)  # fmt: skip
def test_an_attempt_without_an_answer_has_a_problem(
    stored: Attempt, kind: str, headers: dict[str, str], text: str
) -> None:
    reply = replies.reply_from_attempt(stored, REQUEST)
    assert reply.headers == headers
    assert (problem(reply).type, problem(reply).instance) == (f"/problems/{kind}", PATH)
    assert text in problem(reply).detail


def test_an_attempt_in_progress_may_be_repeated_when_its_lease_has_ended() -> None:
    reply = replies.reply_from_attempt(attempt(State.PENDING)._replace(lease=time.time() + 5000), REQUEST)
    assert 4000 < int(reply.headers["Retry-After"]) <= 5000


def test_the_server_s_own_seconds_are_passed_on() -> None:
    assert replies.problem_reply("server-busy", "Busy.", ID, 7).headers == {"Retry-After": "7"}
    assert replies.problem_reply("circuit-open", "Open.", ID, 7).headers == {"Retry-After": "7"}
    assert replies.problem_reply("server-error", "It failed.", ID, 7).headers == {}
    assert replies.in_progress_reply(ID, 7).headers == {"Retry-After": "7"}


@pytest.mark.parametrize(
    ("state", "answer", "may_run"),
    [
        (State.PENDING, None, True),
        (State.UNKNOWN, None, True),
        (State.FAILED, None, False),
        (State.COMPLETED, ANSWER, True),
        (State.FAILED, ANSWER, True),
        (State.COMPLETED, {**ANSWER, "outcome": "rejected"}, False),
        (State.COMPLETED, {**ANSWER, "outcome": "status"}, False),
    ],
)
def test_an_id_of_another_request_is_replaced_only_if_no_charge_may_run(
    state: State, answer: dict[str, Any] | None, may_run: bool
) -> None:
    found = problem(replies.id_reused_reply(attempt(state, answer=answer)))
    assert (found.type, found.status, found.instance) == ("/problems/id-reused", 422, PATH)
    assert ("accepted or unknown" in found.detail) is may_run
    assert ("a new GUID as id" in found.detail) is not may_run
    assert found.detail.endswith(
        "accepted or unknown. A different request needs an id of its own."
        if may_run
        else "which started no charge. A different request needs a new GUID as id."
    )


@pytest.mark.parametrize("state", [State.UNKNOWN, State.FAILED])
def test_an_id_of_zeros_is_named(state: State) -> None:
    found = problem(replies.id_reused_reply(attempt(state)._replace(id=ZERO_ID)))
    assert " It is all zeros, which is what a client sends that sets no id. A different" in found.detail
    assert found.instance == f"/api/v1/ocpp/charger-connect/{ZERO_ID}"

"""A CALLERROR in a callback that does not show whether the charger starts. It ends the wait, and does not settle the attempt."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from local.chargers import Behaviour, Reaction
from tests.integration.dialects.deployed import Deployed, call_back, deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer
    from tests.integration.calling import CallerResponse

ACCEPTED = {"status": "Accepted"}
CALL_ERROR = {"_messageId": "1", "_errorCode": "InternalError", "_errorDetails": {}, "name": "OcppError"}
DETAIL = "The charger answered with an error; it may start all the same."
PROBLEM = {"type": "outcome-unknown", "detail": DETAIL}


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    """Run a charge point that never answers, so that only the tests send callbacks."""
    with deployed(table, [Behaviour("CP", reaction=Reaction.SILENT)], LINK_TIMEOUT="20") as stack:
        yield stack


def start_with_call_error(stack: Deployed, members: dict[str, Any]) -> CallerResponse:
    """Send a start and, while the call waits, a callback with a CALLERROR. Return the response to the start."""
    answers: list[CallerResponse] = []
    waiting = Thread(target=lambda: answers.append(stack.caller.post(members)))
    waiting.start()
    assert call_back(stack.url_of(members["id"]), CALL_ERROR) == (204, b"")
    waiting.join()
    return answers[0]


def test_a_call_error_of_the_charger_ends_the_wait(
    table: TableServer, caplog: pytest.LogCaptureFixture
) -> None:
    with deployed(table, [Behaviour("CP", reaction=Reaction.FAIL)], LINK_TIMEOUT="20") as stack:
        members = stack.request("CP")
        answer = stack.caller.post(members)
        assert (answer.status, answer.outcome) == (504, "unknown")
        assert answer.body["detail"].startswith(DETAIL)
        attempt = stack.caller.get(members["id"]).body
        assert (attempt["state"], attempt["problem"]) == ("unknown", PROBLEM)
        assert sorted(attempt["milliseconds"]) == ["claim", "link"]
        assert len(stack.points["CP"].starts) == 1
        (settled,) = (record for record in caplog.records if record.getMessage() == "settled")
        assert vars(settled)["kind"] == "call-error"


def test_the_same_id_is_not_sent_again_after_it(stack: Deployed) -> None:
    members = stack.request("CP")
    assert start_with_call_error(stack, members).body["detail"].startswith(DETAIL)
    assert (stack.caller.post(members).status, len(stack.citrineos.callback_urls)) == (504, 1)


@pytest.mark.parametrize(("body", "outcome"), [(ACCEPTED, "accepted"), ({"status": "Rejected"}, "rejected")])
def test_an_answer_that_follows_still_completes_the_attempt(
    stack: Deployed, body: dict[str, Any], outcome: str
) -> None:
    members = stack.request("CP")
    assert start_with_call_error(stack, members).body["detail"].startswith(DETAIL)
    assert call_back(stack.url_of(members["id"]), body) == (204, b"")
    attempt = stack.caller.get(members["id"]).body
    assert (attempt["state"], attempt["outcome"], attempt["problem"]) == ("completed", outcome, None)


def test_a_call_error_that_refuses_the_start_is_an_answer(stack: Deployed) -> None:
    members = stack.request("CP")
    answers: list[CallerResponse] = []
    waiting = Thread(target=lambda: answers.append(stack.caller.post(members)))
    waiting.start()
    refusal = {**CALL_ERROR, "_errorCode": "NotSupported"}
    assert call_back(stack.url_of(members["id"]), refusal) == (204, b"")
    waiting.join()
    assert (answers[0].status, answers[0].body["info"]) == (200, "not-supported NotSupported")

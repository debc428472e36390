"""Callbacks of attempts that an operator resolved: what they complete, what they contradict, and what they do not change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, resolutions
from common.transport import Deadline
from local.chargers import Behaviour, Reaction
from tests.integration.dialects.deployed import Deployed, call_back, deployed
from tests.operations.conftest import captured_lines, messages, metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

ACCEPTED: dict[str, Any] = {"status": "Accepted"}
REJECTED: dict[str, Any] = {"status": "Rejected"}
ERROR: dict[str, Any] = {"_errorCode": "InternalError", "_errorDescription": ""}
WORD = {"outcome": "accepted", "status": "Accepted", "connectorId": 1, "errorCode": "NoError", "info": None}


class Start:
    """A start that was published, and that the charge point did not answer."""

    def __init__(self, stack: Deployed) -> None:
        self.members = stack.request("CP")
        self.id = str(self.members["id"])
        self._stack = stack
        self.send()

    def send(self) -> None:
        """Send the request, and keep the callback URL of this try."""
        assert self._stack.caller.post(self.members).status == 504
        self.url = self._stack.url_of(self.id)

    def get(self) -> Attempt:
        return Attempt.of(self._stack.item(self.id))

    def resolve(self, outcome: str) -> None:
        now, attempt = time.time(), self.get()
        if outcome == "accepted":
            update = resolutions.resolve_accepted(attempt, "n", "olga", WORD, now)
        else:
            update = resolutions.resolve_not_started(attempt, "n", "olga", now)
        assert self._stack.caller.service.journal.apply(update, Deadline.after(5))


class Delivered:
    """One callback: its response, and what the function counted and logged."""

    def __init__(self, url: str, body: dict[str, Any]) -> None:
        with captured_lines() as lines:
            self.response = call_back(url, body)
        self.counted = {name: count for (name, _), count in metrics(lines).items()}
        self.errors = [line["message"] for line in messages(lines) if line["level"] == "ERROR"]


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    with deployed(table, [Behaviour("CP", reaction=Reaction.SILENT)], LINK_TIMEOUT="0.3") as stack:
        yield stack


@pytest.fixture
def start(stack: Deployed) -> Start:
    return Start(stack)


def test_an_acceptance_after_an_operators_word_completes_the_attempt_and_is_reported(start: Start) -> None:
    start.resolve("not-started")
    delivered = Delivered(start.url, ACCEPTED)
    assert delivered.response == (204, b"")
    assert start.get().state == "completed"
    assert (delivered.counted, delivered.errors) == ({"StartedAfterAll": 1}, ["started after all"])
    again = Delivered(start.url, ACCEPTED)
    assert (again.response, again.counted) == ((204, b""), {})


def test_an_acceptance_of_an_earlier_try_completes_an_attempt_that_was_sent_again(start: Start) -> None:
    first = start.url
    start.resolve("not-started")
    start.send()
    assert (start.get().tries, start.get().state) == (2, "unknown")
    assert first != start.url
    delivered = Delivered(first, ACCEPTED)
    found = start.get()
    assert found.answer
    assert (delivered.response, found.state, found.answer["outcome"]) == ((204, b""), "completed", "accepted")
    assert delivered.counted == {"StartedAfterAll": 1}


@pytest.mark.parametrize("body", [REJECTED, ERROR])
@pytest.mark.parametrize("earlier", [True, False])
def test_nothing_but_an_acceptance_changes_a_resolved_attempt(
    start: Start, body: dict[str, Any], earlier: bool
) -> None:
    first = start.url
    start.resolve("not-started")
    start.send()
    before = start.get()
    delivered = Delivered(first if earlier else start.url, body)
    assert (delivered.response, delivered.counted) == ((204, b""), {})
    assert start.get() == before


def test_without_an_operators_word_a_callback_of_an_earlier_try_is_refused(
    stack: Deployed, start: Start
) -> None:
    item = stack.item(start.id)
    stack.table.call("PutItem", {"TableName": stack.table.name, "Item": {**item, "tries": {"N": "2"}}})
    before = start.get()
    assert call_back(start.url, ACCEPTED)[0] == 404
    assert start.get() == before


def test_a_refusal_after_an_operators_acceptance_is_recorded_once_and_changes_no_state(start: Start) -> None:
    start.resolve("accepted")
    delivered = Delivered(start.url, REJECTED)
    found = start.get()
    assert found.answer
    assert found.resolution
    assert (found.state, found.answer["outcome"]) == ("completed", "accepted")
    assert found.resolution["refused"]["status"] == "Rejected"
    assert (delivered.counted, delivered.errors) == ({"Contradictions": 1}, ["contradicts the operator"])
    assert Delivered(start.url, REJECTED).counted == {}
    assert start.get() == found


def test_an_acceptance_after_an_operators_acceptance_adds_its_transaction(start: Start) -> None:
    start.resolve("accepted")
    delivered = Delivered(start.url, {**ACCEPTED, "transactionId": "one"})
    assert (start.get().transaction or {})["id"] == "one"
    assert (start.get().answer, delivered.counted) == (WORD, {})


def test_the_transactions_of_two_tries_are_both_recorded_and_reported(start: Start) -> None:
    first = start.url
    start.resolve("not-started")
    start.send()
    Delivered(start.url, {**ACCEPTED, "transactionId": "two"})
    delivered = Delivered(first, {**ACCEPTED, "transactionId": "one"})
    assert set(start.get().transactions) == {"one", "two"}
    assert delivered.counted == {"SecondTransactions": 1}
    assert Delivered(first, {**ACCEPTED, "transactionId": "one"}).counted == {}

"""The callback function: what it rejects without a change, and what it records."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from callback.handler import respond
from callback.service import Service
from common.edge.paths import CALLBACK
from common.journal import Attempt, JournalUnavailable, callbacks
from tests.integration.calling import Context
from tests.unit.journal.transitions import item

if TYPE_CHECKING:
    from common.journal import Journal

SECRET = b"a secret of the test"
ATTEMPT = Attempt.of(item(dialect="citrineos"))


class JournalStub:
    """Returns one attempt, and keeps the answers that are recorded."""

    def __init__(self, attempt: Attempt | None) -> None:
        self.attempt = attempt
        self.answers: list[dict[str, Any]] = []

    def get(self, *_: object) -> Attempt | None:
        return self.attempt

    def complete_late(self, _attempt: Attempt, answer: dict[str, Any], *_: object, **_named: object) -> bool:
        self.answers.append(answer)
        return True


def post(journal: object, body: object = None, **changes: str) -> tuple[int, dict[str, Any]]:
    """Send a valid callback, with changed path parameters; return status and body of the response."""
    path, _, query = callbacks.create_path(SECRET, ATTEMPT, time.time()).partition("?")
    id_, expires, signature = path.split("/")
    event = {
        "routeKey": f"POST {CALLBACK}",
        "pathParameters": {"id": id_, "expires": expires, "signature": signature, **changes},
        "queryStringParameters": dict([query.split("=", 1)]) if query else None,
        "body": body if isinstance(body, str) else json.dumps(body or {"status": "Accepted"}),
    }
    response = respond(event, Context(29.0), Service(cast("Journal", journal), SECRET))
    return response["statusCode"], json.loads(response["body"] or "{}")


def test_a_valid_callback_is_recorded() -> None:
    journal = JournalStub(ATTEMPT)
    assert post(journal) == (204, {})
    assert [answer["outcome"] for answer in journal.answers] == ["accepted"]


@pytest.mark.parametrize(
    ("attempt", "changes"),
    [
        (ATTEMPT, {"id": "x"}),
        (ATTEMPT, {"expires": "1"}),
        (ATTEMPT, {"signature": "0" * 64}),
        (None, {}),
        (ATTEMPT._replace(dialect="native"), {}),
    ],
    ids=["id", "expiry", "signature", "attempt", "dialect"],
)
def test_every_invalid_path_has_the_same_response_and_changes_nothing(
    attempt: Attempt | None, changes: dict[str, str]
) -> None:
    journal = JournalStub(attempt)
    status, problem = post(journal, **changes)
    assert (status, problem["type"]) == (404, "/problems/attempt-unknown")
    assert problem["detail"] == "No attempt waits for this callback."
    assert journal.answers == []


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("[" * 60_000, 400), (f'"{"x" * 70_000}"', 413)],
    ids=["syntax", "depth", "size"],
)
def test_a_body_that_cannot_be_read_changes_nothing(body: str, status: int) -> None:
    journal = JournalStub(ATTEMPT)
    assert post(journal, body)[0] == status
    assert journal.answers == []


def test_a_callback_that_cannot_be_recorded_is_to_be_sent_again() -> None:
    class Unavailable(JournalStub):
        def get(self, *_: object) -> Attempt | None:
            raise JournalUnavailable("timeout")

    status, problem = post(Unavailable(None))
    assert (status, problem["type"], problem["outcome"]) == (
        503,
        "/problems/journal-unavailable",
        "unknown",
    )

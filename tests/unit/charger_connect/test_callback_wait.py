"""The URL of a callback, and the wait for what a callback stores."""

from __future__ import annotations

import time
from typing import Any

import pytest

from charger_connect.callback_wait import callback_url, wait_for_callback
from charger_link import Answer, LinkError, Outcome, OutcomeUnknown, Published
from common.journal import Attempt, JournalUnavailable, callbacks
from common.transport import Deadline
from tests.unit.charger_connect.services import CALL, DEADLINE, ENTRY, service
from tests.unit.journal.transitions import ANSWER, item

CITRINEOS = {**ENTRY, "dialect": "citrineos"}
ATTEMPT = Attempt.of(item(attemptKey="the key"))
STORED = {"Item": item(attemptKey="the key", answer=ANSWER)}
NOTHING = {"Item": item(attemptKey="the key")}
ACCEPTED = Answer(Outcome.ACCEPTED, "Charging", 1)


@pytest.mark.parametrize(
    ("setting", "base", "expected"),
    [
        (None, "https://api.example.com", "https://api.example.com"),
        ("https://set.example.com/x", "https://api.example.com", "https://set.example.com/x"),
        ("https://set.example.com/x", None, "https://set.example.com/x"),
    ],
)
def test_a_callback_has_the_address_of_the_setting_or_of_the_api(
    setting: str | None, base: str | None, expected: str
) -> None:
    deployment = service(entries=[CITRINEOS], callback_base_url=setting)
    server = deployment.servers.find("10.0.0.5", 80)
    url = callback_url(ATTEMPT, server, CALL._replace(base_url=base), deployment)
    assert url is not None
    assert url.startswith(f"{expected}/api/v1/ocpp/callbacks/{ATTEMPT.id}/")
    expires, signature = url.partition("?")[0].split("/")[-2:]
    assert callbacks.is_signed(deployment.secret, ATTEMPT, expires, signature, url.rpartition("=")[2])
    assert not callbacks.is_expired(expires, time.time())


def test_without_an_address_or_a_dialect_that_calls_back_there_is_no_url() -> None:
    deployment = service(entries=[CITRINEOS])
    server = deployment.servers.find("10.0.0.5", 80)
    assert callback_url(ATTEMPT, server, CALL._replace(base_url=None), deployment) is None
    deployment = service()
    server = deployment.servers.find("10.0.0.5", 80)
    assert callback_url(ATTEMPT, server, CALL, deployment) is None


@pytest.mark.parametrize(
    "before",
    [
        [],
        [NOTHING],
        [JournalUnavailable("timeout")],
        [{}],
        [{"Item": item(attemptKey="another", answer={**ANSWER, "status": "x"})}],
        [{"Item": item(attemptKey="the key", tries=2, answer={**ANSWER, "status": "x"})}],
    ],
)
def test_the_answer_that_a_callback_stores_is_returned(before: list[dict[str, Any] | Exception]) -> None:
    assert wait_for_callback(ATTEMPT, Published(), DEADLINE, service(*before, STORED)) == ACCEPTED


def test_a_problem_that_a_callback_stores_ends_the_wait() -> None:
    found = {"Item": item(attemptKey="the key", problem={"type": "outcome-unknown", "detail": "It failed."})}
    result = wait_for_callback(ATTEMPT, Published(), DEADLINE, service(found))
    assert isinstance(result, OutcomeUnknown)
    assert (result.kind, result.detail) == ("call-error", "It failed.")


def test_without_a_callback_the_server_s_own_failure_is_the_result() -> None:
    lost = OutcomeUnknown("timeout", "Lost.")

    def waited(published: Published) -> Answer | LinkError:
        return wait_for_callback(ATTEMPT, published, Deadline.after(0.01), service(NOTHING))

    assert waited(Published(lost)) is lost
    result = waited(Published())
    assert isinstance(result, OutcomeUnknown)
    assert result.kind == "no-callback"
    assert result.detail.endswith(".")

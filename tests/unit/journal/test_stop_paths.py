"""The paths of a stop's callbacks: signed for one stop of one try, and never valid for a start."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from common.journal import Attempt, State, callbacks

SECRET = b"a secret of the tests"
NOW = 1_795_595_400.0
STOP = {"requestedAt": "2026-11-25T08:30:00.000000Z", "by": "alice"}
ATTEMPT = Attempt(
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "CP-1",
    State.COMPLETED,
    "2026-11-25T08:29:00.000000Z",
    "2026-11-25T08:29:01.000000Z",
    attemptKey="a key",
    stop=STOP,
)


def parts() -> tuple[str, str]:
    path, _, query = callbacks.create_stop_path(SECRET, ATTEMPT, NOW).partition("?")
    assert parse_qs(query) == {callbacks.PURPOSE: [callbacks.STOP]}
    id_, expires, signature = path.split("/")
    assert (id_, callbacks.is_expired(expires, NOW)) == (ATTEMPT.id, False)
    return expires, signature


def test_a_path_is_valid_for_the_stop_that_the_attempt_holds_even_after_its_answer() -> None:
    expires, signature = parts()
    assert callbacks.is_stop_signed(SECRET, ATTEMPT, expires, signature)
    answered = ATTEMPT._replace(stop={**STOP, "status": "Accepted", "info": None, "answeredAt": "x"})
    assert callbacks.is_stop_signed(SECRET, answered, expires, signature)


@pytest.mark.parametrize(
    "changes",
    [
        {"stop": None},
        {"stop": {**STOP, "requestedAt": "2026-11-25T08:30:00.000001Z"}},
        {"tries": 2},
        {"attemptKey": "another key"},
        {"attemptKey": None},
        {"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3302"},
    ],
)
def test_a_path_is_not_valid_for_another_stop_try_or_attempt(changes: dict[str, Any]) -> None:
    expires, signature = parts()
    assert not callbacks.is_stop_signed(SECRET, ATTEMPT._replace(**changes), expires, signature)


def test_a_path_is_not_valid_with_another_expiry_secret_or_signature() -> None:
    expires, signature = parts()
    assert not callbacks.is_stop_signed(SECRET, ATTEMPT, str(int(expires) + 1), signature)
    assert not callbacks.is_stop_signed(b"another", ATTEMPT, expires, signature)
    for wrong in ("", "é", signature[:-1], signature.upper()):
        assert not callbacks.is_stop_signed(SECRET, ATTEMPT, expires, wrong)


def test_neither_signature_is_the_others() -> None:
    expires, signature = parts()
    path, _, query = callbacks.create_path(SECRET, ATTEMPT, NOW).partition("?")
    start, key = path.rpartition("/")[2], parse_qs(query)[callbacks.KEY_SIGNATURE][0]
    for given in (start, key):
        assert not callbacks.is_stop_signed(SECRET, ATTEMPT, expires, given)
    without_key = ATTEMPT._replace(attemptKey=None)
    for attempt in (ATTEMPT, without_key):
        for key_signature in ("", key, signature):
            assert not callbacks.is_signed(SECRET, attempt, expires, signature, key_signature)

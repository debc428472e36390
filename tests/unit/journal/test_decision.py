"""The pure functions that decide a claim."""

from __future__ import annotations

import pytest

from common.journal import Attempt, Claimed, Pending, Unknown
from common.journal.claim import Takeover, decide, decide_without_claim
from tests.unit.journal.transitions import FINGERPRINT, NOT_STARTED, NOW, ROWS, START, STATUS, Row, item


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_decision_follows_the_transition_table(row: Row) -> None:
    old = Attempt.of(item(**row.old))
    decision = decide(old, row.opening.fingerprint, "me", NOW, ("native",), starts=row.opening.starts)
    assert type(decision) is (Takeover if row.claim is Claimed else row.claim)
    assert decision.attempt is old
    if isinstance(decision, Pending):
        assert decision.retry_after == row.retry_after
    if isinstance(decision, Takeover):
        assert decision.doubt is row.doubt


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_without_a_claim_a_start_that_could_be_taken_over_is_unknown_and_a_status_is_absent(row: Row) -> None:
    old = Attempt.of(item(**row.old))
    decision = decide_without_claim(old, row.opening.fingerprint, NOW, starts=row.opening.starts)
    if row.claim is not Claimed:
        assert type(decision) is row.claim
    elif row.opening is STATUS:
        assert decision is None
    else:
        assert decision == Unknown(old)


def test_without_a_claim_neither_an_absent_nor_a_failed_attempt_was_started() -> None:
    failed = Attempt.of(item(state="failed"))
    assert decide_without_claim(None, FINGERPRINT, NOW, starts=True) is None
    assert decide_without_claim(failed, FINGERPRINT, NOW, starts=True) is None


def test_without_a_claim_a_failure_on_an_operators_word_is_unknown() -> None:
    resolved = Attempt.of(item(state="failed", resolution=NOT_STARTED))
    assert decide_without_claim(resolved, FINGERPRINT, NOW, starts=True) == Unknown(resolved)


def test_only_a_request_with_a_token_is_a_start() -> None:
    assert START.starts
    assert not STATUS.starts

"""The five conditions under which a transaction is an attempt's, each with its edges, without a table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.journal import Attempt, token_digest
from common.journal.attempt import LONGEST_HOLD, timestamp
from common.journal.evidence import (
    SETTLING,
    Window,
    first_sighting,
    has_rival,
    is_old_enough,
    matching,
    most_transactions,
    sighting,
)
from common.remote_start.transaction import Transaction
from tests.unit.journal.transitions import ANSWER, NOT_STARTED, NOW, item

SECRET = b"a secret of the tests"
TOKEN = "04A2B3C4"
OTHER_ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
WINDOW = Window()
SENT, LEASE = NOW - 40, NOW - 11  # the attempt's only claim, and the end of its lease
FIRST, LAST = SENT - WINDOW.tolerance, LEASE + WINDOW.longest_start
ROW = Transaction("77", "CP-1", TOKEN, 1, SENT + 5, None)


def digest_of(charger_id: str, token: str) -> bytes:
    return token_digest(SECRET, charger_id, token)


def attempt(**changes: Any) -> Attempt:
    values = {
        "state": "unknown",
        "createdAt": timestamp(SENT),
        "firstSentAt": timestamp(SENT),
        "sentAt": timestamp(SENT),
        "lease": LEASE,
        "digest": digest_of("CP-1", TOKEN),
        **changes,
    }
    return Attempt.of(item(**values))


def rival(**changes: Any) -> Attempt:
    return attempt(**{"id": OTHER_ID, **changes})


def matches(row: Transaction, **changes: Any) -> bool:
    return matching(attempt(**changes), [row], WINDOW, digest_of) == [row]


# 1: charger, token and connector


@pytest.mark.parametrize("token", [TOKEN, TOKEN.lower(), "04a2B3c4"])
def test_a_token_matches_without_regard_to_case(token: str) -> None:
    assert matches(ROW._replace(token=token))


@pytest.mark.parametrize(
    "row",
    [
        ROW._replace(charger_id="cp-1"),
        ROW._replace(charger_id="CP-2"),
        ROW._replace(token="04A2B3C5"),
        ROW._replace(token=""),
        ROW._replace(token=None),
        ROW._replace(connector=2),
        ROW._replace(connector=None),
        ROW._replace(started_at=None),
    ],
)
def test_a_row_of_another_charger_token_or_connector_or_without_a_time_does_not_match(
    row: Transaction,
) -> None:
    assert not matches(row)


@pytest.mark.parametrize("connector", [None, 0], ids=["none", "the whole charger"])
def test_where_no_connector_was_sent_every_connector_matches(connector: int | None) -> None:
    assert matches(ROW._replace(connector=2), connectorId=connector)


def test_an_attempt_without_a_digest_matches_nothing() -> None:
    assert not matches(ROW, digest=None)


# 2: the window


@pytest.mark.parametrize("started", [FIRST, SENT, LEASE, LAST])
def test_a_row_that_began_in_the_window_matches(started: float) -> None:
    assert matches(ROW._replace(started_at=started))


@pytest.mark.parametrize("started", [FIRST - 0.001, LAST + 0.001, FIRST - 86400, LAST + 86400])
def test_a_row_that_began_outside_the_window_does_not_match(started: float) -> None:
    assert not matches(ROW._replace(started_at=started))


def test_the_window_begins_with_the_first_sending_and_not_with_the_first_request() -> None:
    """An id that was offline on Monday and sent on Wednesday did not start a charge on Tuesday."""
    assert not matches(ROW._replace(started_at=SENT - 86400), createdAt=timestamp(SENT - 2 * 86400))


def test_an_older_version_opens_an_attempt_again_without_the_time_of_its_sending() -> None:
    old = {"createdAt": timestamp(SENT - 90_000), "firstSentAt": timestamp(SENT - 86400), "tries": 2}
    stale = {**old, "sentAt": timestamp(SENT - 86400)}
    for changes in (stale, {**old, "firstSentAt": None, "sentAt": None}):
        assert attempt(**changes).first_sending == LEASE - LONGEST_HOLD
        assert matches(ROW, **changes)
        assert not matches(ROW._replace(started_at=SENT - 3600), **changes)


def test_after_an_operators_word_the_window_begins_with_the_first_of_all_sendings() -> None:
    first = SENT - 3000
    resolved = {"firstSentAt": timestamp(first), "resolution": NOT_STARTED, "tries": 2}
    assert matches(ROW._replace(started_at=first - WINDOW.tolerance), **resolved)
    assert matches(
        ROW._replace(started_at=first - WINDOW.tolerance), **{**resolved, "sentAt": timestamp(first)}
    )


def test_rows_are_returned_in_the_order_of_their_beginning_each_once() -> None:
    rows = [ROW._replace(id="9", started_at=SENT + 9), ROW, ROW]
    assert matching(attempt(), rows, WINDOW, digest_of) == [rows[1], rows[0]]


# 3: rivals

SEEN = NOW + 30
SINCE = SENT - WINDOW.longest_start - WINDOW.tolerance


def sent_at(time: float, **changes: Any) -> Attempt:
    """Return another attempt with the same token, which was sent at `time` only."""
    sent = timestamp(time)
    return rival(**{"createdAt": sent, "firstSentAt": sent, "sentAt": sent, "lease": time, **changes})


def is_rival(other: Attempt, **changes: Any) -> bool:
    return has_rival(attempt(**changes), [other], SEEN, WINDOW)


@pytest.mark.parametrize("time", [SINCE, SENT, SEEN])
def test_another_attempt_that_was_sent_in_its_time_is_a_rival(time: float) -> None:
    assert is_rival(sent_at(time))


@pytest.mark.parametrize("time", [SINCE - 0.001, SEEN + 0.001])
def test_an_attempt_that_was_sent_earlier_or_after_the_first_look_is_none(time: float) -> None:
    assert not is_rival(sent_at(time))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "pending"},
        {"state": "unknown"},
        {"state": "completed", "answer": ANSWER},
        {"state": "failed", "resolution": NOT_STARTED},
        {"server": "10.0.0.6:8080", "connectorId": 2},
        {"digest": digest_of("CP-1", TOKEN.lower())},
    ],
)
def test_a_rival_is_at_any_server_and_connector_and_may_have_started(changes: dict[str, Any]) -> None:
    assert is_rival(sent_at(SENT, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "failed"},
        {"state": "completed", "answer": {**ANSWER, "outcome": "rejected"}},
        {"digest": digest_of("CP-1", "another token")},
        {"token": None, "digest": None},
    ],
    ids=["failed", "rejected", "other token", "status request"],
)
def test_an_attempt_that_started_nothing_or_has_another_token_is_no_rival(changes: dict[str, Any]) -> None:
    assert not is_rival(sent_at(SENT, **changes))


def test_the_attempt_is_no_rival_of_itself() -> None:
    assert not has_rival(attempt(), [attempt()], SEEN, WINDOW)


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("****", "****", True),
        ("****9012", "****9012", True),
        ("****ABCD", "****abcd", True),
        ("****9012", "****9013", False),
        ("****", "****9012", False),
    ],
)
def test_an_attempt_without_a_digest_is_a_rival_unless_its_masked_token_excludes_that(
    theirs: str, ours: str, expected: bool
) -> None:
    assert is_rival(sent_at(SENT, digest=None, token=theirs), token=ours) is expected


def test_an_old_attempt_that_was_sent_again_in_the_window_is_a_rival() -> None:
    old = rival(
        createdAt=timestamp(SENT - 86400), firstSentAt=timestamp(SENT), sentAt=timestamp(SENT), tries=2
    )
    assert is_rival(old)


# 4: an earlier look


def seen(at: float, row: Transaction = ROW) -> Attempt:
    return attempt(sightings={sighting(row): timestamp(at)})


@pytest.mark.parametrize(
    ("at", "expected"), [(NOW - SETTLING, True), (NOW - SETTLING + 0.001, False), (NOW, False)]
)
def test_an_earlier_look_returned_the_transaction_ten_seconds_ago(at: float, expected: bool) -> None:
    assert is_old_enough(seen(at), ROW, NOW) is expected
    assert first_sighting(seen(at), ROW) == at


def test_a_transaction_that_no_look_returned_is_too_young() -> None:
    assert not is_old_enough(attempt(), ROW, NOW)
    assert not is_old_enough(seen(NOW - 60, ROW._replace(id="78")), ROW, NOW)


def test_an_id_that_a_rebuilt_database_uses_again_is_another_transaction() -> None:
    assert not is_old_enough(seen(NOW - 60, ROW._replace(started_at=SENT + 1)), ROW, NOW)


# how many


def test_an_attempt_has_one_transaction_and_one_for_each_try_after_an_operators_word() -> None:
    assert most_transactions(attempt(tries=3)) == 1
    assert most_transactions(attempt(tries=3, resolution=NOT_STARTED)) == 3


# properties

_moments = st.integers(-3000, 3000).map(lambda seconds: NOW + seconds)


@given(started=_moments, first=_moments, hold=st.integers(0, 29))
def test_what_matches_began_in_the_window_of_the_sendings(started: float, first: float, hold: int) -> None:
    mine = attempt(firstSentAt=timestamp(first), sentAt=timestamp(first), lease=first + hold)
    found = matching(mine, [ROW._replace(started_at=started)], WINDOW, digest_of)
    assert bool(found) is (first - 60 <= started <= first + hold + 600)


@given(ours=_moments, theirs=_moments)
def test_of_two_attempts_that_match_one_transaction_at_least_one_has_a_rival(
    ours: float, theirs: float
) -> None:
    """So a transaction that two attempts may have started is given to neither, or only to the one without a rival."""
    one = sent_at(ours, id=attempt().id)
    other = sent_at(theirs)
    row = ROW._replace(started_at=max(ours, theirs))
    both = [matching(mine, [row], WINDOW, digest_of) == [row] for mine in (one, other)]
    first_seen = max(ours, theirs) + 1
    if all(both):
        assert has_rival(one, [one, other], first_seen, WINDOW)
        assert has_rival(other, [one, other], first_seen, WINDOW)

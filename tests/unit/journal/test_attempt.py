"""Masking, fingerprints, timestamps, and an attempt read from its item."""

from __future__ import annotations

import hmac
import json

import pytest

from common.journal import Attempt, State, fingerprint, masked
from common.journal.attempt import attribute, timestamp
from tests.unit.journal.transitions import ANSWER, NOW, item
from tests.unit.journal.transitions import MEANING as OURS


@pytest.mark.parametrize(
    ("token", "kept"),
    [
        (None, None),
        ("", "****"),
        ("4", "****"),
        ("04A2B3C4", "****"),
        ("12345678901", "****"),
        ("123456789012", "****9012"),
        ("0123456789ABCDEF0123456789ABCDEF0123", "****0123"),
        ("🚗" * 12, "****🚗🚗🚗🚗"),
    ],
)
def test_of_a_token_at_most_its_last_four_characters_are_kept(token: str | None, kept: str | None) -> None:
    assert masked(token) == kept


MEANING = ("CP-1", "04A2B3C4", "10.0.0.5:8080", 1, "alice")


def test_a_fingerprint_is_an_hmac_of_sha_256_under_the_secret() -> None:
    expected = hmac.new(b"secret", json.dumps(MEANING).encode(), "sha256").digest()
    assert fingerprint(b"secret", *MEANING) == expected


@pytest.mark.parametrize(
    "other",
    [
        ("CP-2", *MEANING[1:]),
        ("CP-1", "04A2B3C5", *MEANING[2:]),
        ("CP-1", None, *MEANING[2:]),
        (*MEANING[:2], None, *MEANING[3:]),
        (*MEANING[:3], None, "alice"),
        (*MEANING[:3], "1", "alice"),
        (*MEANING[:4], "mallory"),
        ("CP-104A2B3C4", "", *MEANING[2:]),  # the same letters, cut elsewhere
        ('CP-1", "04A2B3C4', *MEANING[2:]),
    ],
)
def test_whatever_a_request_means_is_in_its_fingerprint(other: tuple[str | int | None, ...]) -> None:
    assert fingerprint(b"secret", *other) != fingerprint(b"secret", *MEANING)


def test_another_secret_gives_another_fingerprint() -> None:
    assert fingerprint(b"secret", *MEANING) != fingerprint(b"another", *MEANING)


def test_a_fingerprint_is_had_of_text_that_utf8_cannot_write() -> None:
    assert fingerprint(b"secret", "\ud83d") != fingerprint(b"secret", "\ud83e")


def test_timestamps_sort_as_they_count() -> None:
    moments = [0.0, 999_999_999.999_999, 1_000_000_000.0, NOW, NOW + 0.000_1, NOW + 1, NOW + 1e9]
    texts = [timestamp(moment) for moment in moments]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}
    assert texts[3] == "2026-09-21T14:13:20.250000Z"


@pytest.mark.parametrize(
    "value",
    ["text", "", 0, -7, 20.123, b"\x00\xff", True, None, {"a": {"b": None, "c": 1}, "d": "x"}],
)
def test_a_value_survives_the_notation_of_dynamodb(value: object) -> None:
    found = Attempt.of({**item(), "answer": attribute({"value": value})})
    assert found.answer == {"value": value}


def test_an_item_is_read_and_what_later_versions_add_is_left_alone() -> None:
    found = Attempt.of({**item(answer=ANSWER, state="completed"), "added": {"L": [{"S": "later"}]}})
    assert (found.state, found.answer, found.fingerprint) == (State.COMPLETED, ANSWER, OURS)
    assert found.lease == NOW + 20


def test_an_item_of_an_earlier_version_gets_defaults() -> None:
    least = {name: item()[name] for name in ("id", "chargerId", "state", "createdAt", "updatedAt")}
    assert Attempt.of(least).tries == 1


@pytest.mark.parametrize(
    ("state", "lease", "shown"),
    [
        ("pending", NOW, State.PENDING),
        ("pending", NOW - 0.001, State.UNKNOWN),
        ("completed", NOW - 9, State.COMPLETED),
        ("failed", NOW - 9, State.FAILED),
        ("unknown", NOW + 9, State.UNKNOWN),
    ],
)
def test_a_pending_attempt_whose_lease_is_over_shows_as_unknown(
    state: str, lease: float, shown: State
) -> None:
    assert Attempt.of(item(state=state, lease=lease)).known_state(NOW) is shown

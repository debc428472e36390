"""Masking, fingerprints, timestamps, and reading an attempt from its item."""

from __future__ import annotations

import hmac
import json

import pytest

from common.journal import Attempt, State, fingerprint, mask
from common.journal.attempt import attribute, timestamp
from tests.unit.journal.transitions import ANSWER, NOW, item
from tests.unit.journal.transitions import FINGERPRINT as OURS


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
def test_a_masked_token_keeps_at_most_its_last_four_characters(token: str | None, kept: str | None) -> None:
    assert mask(token) == kept


FIELDS = ("CP-1", "04A2B3C4", "10.0.0.5:8080", 1, "alice")


def test_a_fingerprint_is_an_hmac_sha_256_with_the_secret() -> None:
    expected = hmac.new(b"secret", json.dumps(FIELDS).encode(), "sha256").digest()
    assert fingerprint(b"secret", *FIELDS) == expected


@pytest.mark.parametrize(
    "other",
    [
        ("CP-2", *FIELDS[1:]),
        ("CP-1", "04A2B3C5", *FIELDS[2:]),
        ("CP-1", None, *FIELDS[2:]),
        (*FIELDS[:2], None, *FIELDS[3:]),
        (*FIELDS[:3], None, "alice"),
        (*FIELDS[:3], "1", "alice"),
        (*FIELDS[:4], "mallory"),
        ("CP-104A2B3C4", "", *FIELDS[2:]),  # the same characters, split elsewhere
        ('CP-1", "04A2B3C4', *FIELDS[2:]),
    ],
)
def test_a_fingerprint_depends_on_every_field(other: tuple[str | int | None, ...]) -> None:
    assert fingerprint(b"secret", *other) != fingerprint(b"secret", *FIELDS)


def test_another_secret_gives_another_fingerprint() -> None:
    assert fingerprint(b"secret", *FIELDS) != fingerprint(b"another", *FIELDS)


def test_text_that_utf8_cannot_encode_has_a_fingerprint() -> None:
    assert fingerprint(b"secret", "\ud83d") != fingerprint(b"secret", "\ud83e")


def test_timestamps_sort_by_time() -> None:
    moments = [0.0, 999_999_999.999_999, 1_000_000_000.0, NOW, NOW + 0.000_1, NOW + 1, NOW + 1e9]
    texts = [timestamp(moment) for moment in moments]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}
    assert texts[3] == "2026-09-21T14:13:20.250000Z"


@pytest.mark.parametrize(
    "value",
    ["text", "", 0, -7, 20.123, b"\x00\xff", True, None, {"a": {"b": None, "c": 1}, "d": "x"}],
)
def test_a_value_is_unchanged_after_a_round_trip_through_dynamodb_notation(value: object) -> None:
    found = Attempt.of({**item(), "answer": attribute({"value": value})})
    assert found.answer == {"value": value}


def test_attributes_of_later_versions_are_ignored() -> None:
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
def test_a_pending_attempt_with_an_expired_lease_is_unknown(state: str, lease: float, shown: State) -> None:
    assert Attempt.of(item(state=state, lease=lease)).known_state(NOW) is shown


@pytest.mark.parametrize(
    ("key", "other_key", "created", "same"),
    [
        ("a", "a", "another time", True),
        ("a", "b", "this time", False),
        ("a", None, "this time", True),
        (None, "a", "this time", True),
        (None, None, "this time", True),
        ("a", None, "another time", False),
        (None, None, "another time", False),
    ],
)
def test_without_two_keys_the_time_of_creation_tells_attempts_of_one_id_apart(
    key: str | None, other_key: str | None, created: str, same: bool
) -> None:
    one = Attempt("id", "CP-1", State.PENDING, "this time", "", attemptKey=key)
    other = Attempt("id", "CP-1", State.PENDING, created, "", attemptKey=other_key)
    assert one.is_same(other) is same
    assert one.is_same_try(other) is same
    assert not one.is_same_try(other._replace(tries=2))

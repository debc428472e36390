"""The signed path of a callback."""

from __future__ import annotations

import hmac

import pytest

from common.journal import Attempt, State, callbacks

SECRET = b"a secret of the tests"
NOW = 1_800_000_000.7
ATTEMPT = Attempt(
    id="3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    chargerId="CP-1",
    state=State.PENDING,
    createdAt="2027-01-15T08:00:00.000000Z",
    updatedAt="2027-01-15T08:00:00.000000Z",
    tries=2,
)


def test_it_contains_the_id_an_expiry_of_a_day_and_a_signature() -> None:
    id_, expires, signature = callbacks.create_path(SECRET, ATTEMPT, NOW).split("/")
    assert (id_, int(expires)) == (ATTEMPT.id, int(NOW) + 24 * 3600)
    assert callbacks.is_signed(SECRET, ATTEMPT, expires, signature)
    assert len(bytes.fromhex(signature)) == 32


@pytest.mark.parametrize(
    ("secret", "attempt", "added_seconds"),
    [
        (b"another secret of the tests", ATTEMPT, 0),
        (SECRET, ATTEMPT._replace(id="3f2504e0-4f89-11d3-9a0c-0305e82c3302"), 0),
        (SECRET, ATTEMPT._replace(tries=1), 0),
        (SECRET, ATTEMPT._replace(tries=3), 0),
        (SECRET, ATTEMPT, 1),
    ],
)
def test_the_signature_covers_id_expiry_and_try(secret: bytes, attempt: Attempt, added_seconds: int) -> None:
    _, expires, signature = callbacks.create_path(SECRET, ATTEMPT, NOW).split("/")
    assert not callbacks.is_signed(secret, attempt, str(int(expires) + added_seconds), signature)


@pytest.mark.parametrize("signature", ["", "0", "\ud800", "é" * 64, "0" * 10_000])
def test_text_that_is_not_a_signature_is_rejected(signature: str) -> None:
    expires = str(int(NOW) + 60)
    assert not callbacks.is_signed(SECRET, ATTEMPT, expires, signature)


@pytest.mark.parametrize("ahead", [0, 1, 60, 300])
def test_it_is_valid_at_once_if_the_clock_is_behind_the_one_that_created_it(ahead: int) -> None:
    _, expires, _ = callbacks.create_path(SECRET, ATTEMPT, NOW + ahead).split("/")
    assert not callbacks.is_expired(expires, NOW)


def test_the_signing_key_is_not_the_key_of_the_fingerprints() -> None:
    _, expires, signature = callbacks.create_path(SECRET, ATTEMPT, NOW).split("/")
    text = f"{ATTEMPT.id}/{expires}/{ATTEMPT.tries}".encode()
    assert signature != hmac.digest(SECRET, text, "sha256").hex()


@pytest.mark.parametrize(
    ("expires", "has_expired"),
    [
        (str(int(NOW) + 1), False),
        (str(int(NOW) + callbacks.LIFETIME), False),
        (str(int(NOW)), True),
        (str(int(NOW) + callbacks.LIFETIME + 300), False),
        (str(int(NOW) + callbacks.LIFETIME + 301), True),
        ("0", True),
        ("-1", True),
        ("", True),
        (" 1800000060", True),
        ("1800000060.5", True),
        ("0x6b49d200", True),
        ("١٨٠٠٠٠٠٠٦٠", True),
        ("1" * 5000, True),
    ],
)
def test_it_is_valid_for_a_day_and_other_expiries_are_not_valid(expires: str, has_expired: bool) -> None:
    assert callbacks.is_expired(expires, NOW) is has_expired


@pytest.mark.parametrize(
    ("expires", "now", "is_over"),
    [
        ("1000", 1000.0, True),
        ("1000", 999.9, False),
        (str(1000 + callbacks.LIFETIME + 300), 1000.0, False),
        (str(1000 + callbacks.LIFETIME + 300), 999.9, True),
        ("100000000000", 99_999_999_999.0, False),
        ("0100000000000", 99_999_999_999.0, True),
    ],
)
def test_both_ends_of_the_day_are_exact(expires: str, now: float, is_over: bool) -> None:
    assert callbacks.is_expired(expires, now) is is_over

"""The attempt's key in a callback's URL, and the URLs of version 1.0, which have none."""

from __future__ import annotations

import hmac

import pytest

from common.journal import Attempt, callbacks
from tests.unit.dialects.test_callback_paths import ATTEMPT, NOW, SECRET

KEYED = ATTEMPT._replace(attemptKey="kEy-of_an-attempt")


def url_parts(attempt: Attempt) -> tuple[str, str, str]:
    """Return expiry, signature and the key's signature in a new URL. Without a key, the last is empty."""
    path, _, query = callbacks.create_path(SECRET, attempt, NOW).partition("?")
    _, expires, signature = path.split("/")
    return expires, signature, query.removeprefix("keySignature=")


def signature_of_version_1_0(attempt: Attempt, expires: int) -> str:
    key = hmac.digest(SECRET, b"charger-connect: path of a callback", "sha256")
    return hmac.digest(key, f"{attempt.id}/{expires}/{attempt.tries}".encode(), "sha256").hex()


def test_the_url_of_an_attempt_with_a_key_contains_a_second_signature() -> None:
    expires, signature, key_signature = url_parts(KEYED)
    assert len(bytes.fromhex(key_signature)) == 32
    assert key_signature != signature
    assert callbacks.is_signed(SECRET, KEYED, expires, signature, key_signature)


@pytest.mark.parametrize(
    "attempt",
    [
        KEYED._replace(attemptKey="another"),
        KEYED._replace(tries=1),
        KEYED._replace(id="3f2504e0-4f89-11d3-9a0c-0305e82c3302"),
    ],
)
def test_it_is_valid_for_that_attempt_and_try_only(attempt: Attempt) -> None:
    assert not callbacks.is_signed(SECRET, attempt, *url_parts(KEYED))


@pytest.mark.parametrize("key_signature", ["", "0" * 64, "\ud800", "é" * 64])
def test_the_path_alone_is_not_valid_for_an_attempt_with_a_key(key_signature: str) -> None:
    expires, signature, _ = url_parts(KEYED)
    assert not callbacks.is_signed(SECRET, KEYED, expires, signature, key_signature)


def test_the_query_alone_is_not_valid_for_an_attempt_with_a_key() -> None:
    expires, _, key_signature = url_parts(KEYED)
    assert not callbacks.is_signed(SECRET, KEYED, expires, "0" * 64, key_signature)


@pytest.mark.parametrize("attempt", [ATTEMPT, KEYED], ids=["no key", "key"])
def test_the_path_is_that_of_version_1_0(attempt: Attempt) -> None:
    """Version 1.0's callback function receives a part of the callbacks during a canary, and all of them after a rollback."""
    expires, signature, _ = url_parts(attempt)
    assert signature == signature_of_version_1_0(attempt, int(expires))


def test_a_url_of_version_1_0_is_valid_for_an_attempt_without_a_key_only() -> None:
    expires, signature, key_signature = url_parts(ATTEMPT)
    assert key_signature == ""
    assert callbacks.is_signed(SECRET, ATTEMPT, expires, signature)
    assert not callbacks.is_signed(SECRET, KEYED, expires, signature)

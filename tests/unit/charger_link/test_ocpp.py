"""The answers that all dialects build alike."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from charger_link.ocpp import cut, info, offline, rejected
from charger_link.words import InfoWord
from common.remote_start import remote_start_id


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("connector-busy", "", "connector-busy"),
        ("connector-busy", "in use", "connector-busy in use"),
        ("charger-refused", "x" * 99, "charger-refused " + "x" * 34),
        ("charger-refused", "\ud83d", "charger-refused ?"),
    ],
)
def test_info_is_a_word_and_a_text_of_at_most_fifty_characters(word: str, text: str, expected: str) -> None:
    assert cut(info(InfoWord(word), text)) == expected
    assert len(cut(info(InfoWord(word), text)).encode()) <= 200


def test_a_connector_that_is_not_known_is_0() -> None:
    assert (
        rejected(InfoWord.CHARGER_REFUSED, None).connector_id,
        offline(InfoWord.NOT_CONNECTED).connector_id,
    ) == (0, 0)
    assert rejected(InfoWord.CONNECTOR_BUSY, 2).connector_id == 2


def test_remote_start_ids_are_31_bits_of_the_ids_sha_256_and_at_least_1() -> None:
    for id_ in [str(uuid4()) for _ in range(1000)] + [str(UUID(int=0))]:
        number = remote_start_id(id_)
        assert 1 <= number < 2**31
        assert number in (int(sha256(id_.encode()).hexdigest()[:8], 16) % 2**31, 1)

"""The cursor of a page of attempts."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from attempts.cursor import (
    decode_cursor,
    decode_unfinished_cursor,
    encode_cursor,
    encode_unfinished_cursor,
)
from tests.unit.journal.transitions import ID

KEY = {"id": {"S": ID}, "chargerId": {"S": "CP-1"}, "createdAt": {"S": "2026-09-21T14:13:20.250000Z"}}


def test_a_cursor_is_decoded_to_its_key() -> None:
    text = encode_cursor(KEY)
    assert text is not None
    assert text.isascii()
    assert not set(text) & set("+/=&?# ")
    assert decode_cursor(text, "CP-1") == KEY


def test_a_cursor_is_limited_to_the_charger_of_the_request() -> None:
    assert decode_cursor(encode_cursor(KEY) or "", "CP-2")["chargerId"] == {"S": "CP-2"}


def test_the_last_page_has_no_cursor() -> None:
    assert encode_cursor(None) is None


def encoded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "x", "====", "ä", "\ud83d", "bm90IGpzb24", urlsafe_b64encode(b"\xff\xfe").decode(),
        encoded(5), encoded([]), encoded([ID]), encoded([ID, 5]), encoded([ID, ""]), encoded([ID, "x" * 33]), encoded([ID, None]),
        encoded(["x", "2026-09-21T14:13:20.250000Z"]), encoded([5, "2026-09-21T14:13:20.250000Z"]), encoded([[], "2026"]),
        encoded([None, "2026-09-21T14:13:20.250000Z"]), encoded({"a": 1, "b": 2}), encoded("ab"), encoded([ID, "\ud83d"]),
        encoded([ID, "yesterday"]), encoded([ID, "2026-09-21T14:13:20.250000Z", 1]),
        urlsafe_b64encode(b"[" * 9000).decode(), urlsafe_b64encode(b"1" * 9000).decode(),
    ],
)  # fmt: skip
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the handler returns a field error for any message
        decode_cursor(text, "CP-1")


UNFINISHED = {"id": {"S": ID}, "shard": {"S": "3"}, "dueAt": {"N": "1790000030.25"}}


@pytest.mark.parametrize("key", [None, UNFINISHED, UNFINISHED | {"dueAt": {"N": "253402300799"}}])
def test_a_cursor_of_unfinished_attempts_is_decoded_to_its_shard_and_key(key: dict[str, Any] | None) -> None:
    assert decode_unfinished_cursor(encode_unfinished_cursor("3", key)) == ("3", key)


@pytest.mark.parametrize(
    "text",
    [
        *("x", "====", "ä", "bm90IGpzb24", encoded(5), encoded([]), encoded(["9"]), encoded([3])),
        *(encoded(["3", "5"]), encoded(["3", "5", "x"]), encoded(["3", "-5", ID]), encoded(["3", 5, ID])),
        *(encoded(["3", "5", ID, "more"]), encoded(["3", "1e9", ID]), encoded(["3", "5", "x" * 200])),
    ],
)
def test_any_other_cursor_of_unfinished_attempts_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        decode_unfinished_cursor(text)

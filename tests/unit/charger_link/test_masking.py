"""No encoding of a token is left in the text that a server returned."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charger_link.masking import mask, mask_info

TOKENS = ["04A2B3C4", "DE-8AA/12:34", 'a"b\\c d', "Zoë🚗+%2F", "ß" * 8, "...[]()*", " 04A2B3C4 "]
tokens = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc"]), min_size=4, max_size=36)


def encodings(token: str) -> list[str]:
    token = token.strip()
    return [
        token,
        token.lower(),
        token.upper(),
        quote(token, safe=""),
        quote(token),
        quote(token, safe="").lower(),
        quote_plus(token),
        json.dumps(token)[1:-1],
        json.dumps(token, ensure_ascii=False)[1:-1],
        json.dumps(token).upper()[1:-1],
        json.dumps(token)[1:-1].replace("/", "\\/"),
        "".join(f"%{byte:02x}" for byte in token.encode()),
    ]


@pytest.mark.parametrize("token", TOKENS)
def test_each_encoding_is_masked_at_any_position(token: str) -> None:
    for written in encodings(token):
        assert mask(f"tag {written} is {written}", token) == "tag *** is ***", written
        assert mask(written, token) == "***"


@given(tokens.filter(lambda token: len(token.strip()) >= 4), st.integers(0, 11))
def test_any_token_is_masked_completely(token: str, which: int) -> None:
    written = encodings(token)[which]
    left = mask(f"«{written}»", token)
    assert left == "«***»"


@pytest.mark.parametrize("token", ["04A2B3C4", "Zoë🚗+%2F"])
def test_a_token_that_the_server_cut_is_masked_at_the_end(token: str) -> None:
    for length in range(3, len(token)):
        assert mask(f"tag {token[:length]}", token) == "tag ***"
        assert mask(f"tag {token[:length].lower()} and", token) == f"tag {token[:length].lower()} and"
    written = quote("CARDÄÄÄ", safe="")
    for length in range(4, len(written)):
        assert mask(f"tag {written[:length]}", "CARDÄÄÄ") == "tag ***"


@pytest.mark.parametrize(
    ("info", "token", "masked"),
    [
        ("charger-refused tag 04A2B3C4", "04A2B3C4", "charger-refused tag ***"),
        ("charger-refused", "charger", "charger-refused"),
        ("charger-refused charger", "charger", "charger-refused ***"),
        ("token-refused e", "e", "token-refused ***"),
        ("04A2B3C4 refused", "04A2B3C4", "*** refused"),
        ("04A2B3C4", "04A2B3C4", "***"),
        ("in use", "04A2B3C4", "in use"),
    ],
)
def test_the_word_of_the_closed_list_stays(info: str, token: str, masked: str) -> None:
    assert mask_info(info, token) == masked


@pytest.mark.parametrize(
    ("token", "written"),
    [
        ("04A2\N{LATIN SMALL LETTER DOTLESS I}", "04A2I"),
        ("04A2\N{LATIN CAPITAL LETTER SHARP S}", quote("04a2\N{LATIN SMALL LETTER SHARP S}")),
        ("04A2\N{LATIN SMALL LETTER SHARP S}", quote("04A2SS")),
        ("04A2", "\\u0030\\u0034\\u0041\\u0032"),
        ("04A2\N{LATIN SMALL LETTER SHARP S}", "04A2\\u0053\\u0053"),
        ("04A2\ud83d", "04A2%3F"),
        ("04A2\ud83d", "04A2\\ud83d"),
    ],
)
def test_a_token_in_another_letter_case_or_that_cannot_be_encoded_is_masked(token: str, written: str) -> None:
    assert mask(f"tag {written} x", token) == "tag *** x"


@pytest.mark.parametrize("token", ["", " "])
def test_of_an_empty_token_nothing_is_masked(token: str) -> None:
    assert mask("tag 04A2", token) == "tag 04A2"


def test_two_characters_of_a_cut_token_are_kept_and_a_long_text_is_cut() -> None:
    assert mask("tag 04", "04A2B3C4") == "tag 04"
    assert mask("x" * 600, "04A2B3C4") == "x" * 512

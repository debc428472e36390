r"""Tokens whose forms are prefixes of each other are masked in polynomial time.

A backslash has the forms ``\`` and ``\\``, so a run of them can be read in exponentially many ways.
A search that tries all of them does not end before the test run does; no duration is asserted.
"""

from __future__ import annotations

import pytest

from charger_link.masking import mask

BACKSLASH = "\\"


@pytest.mark.parametrize(
    ("token", "text", "masked"),
    [
        (BACKSLASH * 36, BACKSLASH * 36, "***"),
        (BACKSLASH * 36, BACKSLASH * 72, "***"),
        (BACKSLASH * 32, BACKSLASH * 31, "***"),
        (BACKSLASH * 24 + "QQ", "tag " + BACKSLASH * 200, "tag ***"),
        (BACKSLASH * 24 + "QQ", BACKSLASH * 200 + " is no tag", BACKSLASH * 200 + " is no tag"),
        ('\\"' * 18, '\\\\\\"' * 18, "***"),
        ("\\/" * 18, "\\/" * 17 + "\\", "***"),
    ],
)
def test_a_run_of_characters_with_several_forms_is_masked(token: str, text: str, masked: str) -> None:
    found = mask(text, token)
    if masked == "***":
        assert set(found) == {"*"}
    elif masked.endswith("***"):
        # Where in the run the occurrence begins is not defined; the end of the text belongs to it.
        assert found.startswith("tag ")
        assert found.endswith("***")
    else:
        assert found == masked

"""Info from where the token is not known keeps nothing that could hold it."""

from __future__ import annotations

import pytest

from charger_link.masking import without_text
from charger_link.words import InfoWord


@pytest.mark.parametrize("word", InfoWord)
def test_a_word_of_the_list_is_kept_and_its_text_is_not(word: InfoWord) -> None:
    assert without_text(word) == word
    assert without_text(f"{word} of 04A2B3C4") == word


@pytest.mark.parametrize("code", ["TxInProgress", "NotSupported"])
def test_a_code_of_ocpp_is_kept(code: str) -> None:
    assert without_text(f"charger-refused {code}") == f"charger-refused {code}"
    assert without_text(f"charger-refused {code} 04A2B3C4") == "charger-refused"


@pytest.mark.parametrize("info", [None, "", "04A2B3C4", "charger-refused:04A2B3C4", " charger-refused"])
def test_any_other_info_is_dropped(info: str | None) -> None:
    assert without_text(info) is None

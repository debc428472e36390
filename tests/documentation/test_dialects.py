"""The documents list the dialects as the registry has them, and the words of `info` as the code has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from apidoc.generate import ROOT
from charger_link.dialects import registry
from charger_link.words import InfoWord

if TYPE_CHECKING:
    from charger_link.dialects.dialect import Dialect

DOCS: Final = ROOT / "docs"
PAGE: Final = (DOCS / "dialects.md").read_text(encoding="utf-8")
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
STOP_WORDS: Final = {InfoWord.NOTHING_STARTED, InfoWord.ALREADY_STOPPED, InfoWord.STOP_RECORDED}
# A native server distinguishes an unknown charger by its status code.
NATIVE_WORDS: Final = {*InfoWord} - {InfoWord.UNKNOWN_OR_NOT_CONNECTED, InfoWord.CONFIRMED_BY_OPERATOR}
START_WORDS: Final = NATIVE_WORDS - STOP_WORDS


def rows() -> list[list[str]]:
    """The cells of the first table, without its two lines of heading."""
    lines = [line for line in PAGE.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def connector(dialect: Dialect) -> str:
    number = str(dialect.default_connector or "none")
    return f"{number}, required" if dialect.needs_connector else number


def test_the_table_has_the_facts_of_the_registry() -> None:
    expected = []
    for name, module in registry.MODULES.items():
        dialect = registry.load(name)
        file = f"{module.rpartition('.')[2]}.py"
        expected.append(
            [
                f"[`{name}`](servers/{name}.md)",
                f"[{file}](../layers/charger_link/charger_link/dialects/{file})",
                f"`{dialect.base_path}`" if dialect.base_path else "none",
                connector(dialect),
                "yes" if dialect.repeatable else "no",
                "yes" if dialect.status else "no",
                "yes" if dialect.read_callback else "no",
                "ours" if dialect.carries_remote_start_id else "none",
            ]
        )
    found = [[*row[:2], *row[3:6], row[6].partition(":")[0], *row[7:9]] for row in rows()]
    assert found == expected


@pytest.mark.parametrize("name", registry.NAMES)
def test_each_dialect_has_a_page(name: str) -> None:
    assert (DOCS / "servers" / f"{name}.md").is_file()


def test_the_readme_lists_the_names() -> None:
    (row,) = re.findall(r"^\| `dialect` \| (.*) \|$", README, re.MULTILINE)
    assert re.findall(r"`([^`]*)`", row) == list(registry.NAMES)


def test_the_page_lists_the_words_of_info_in_their_order() -> None:
    (line,) = [line for line in PAGE.splitlines() if f"`{InfoWord.UNKNOWN_OR_NOT_CONNECTED}`, " in line]
    assert re.findall(r"`([^`]*)`", line) == list(InfoWord)


def test_the_page_of_the_native_server_lists_the_words_that_it_uses() -> None:
    page = (DOCS / "servers" / "native.md").read_text(encoding="utf-8")
    assert {word for word in InfoWord if f"`{word}`" in page} == NATIVE_WORDS


def test_the_description_of_the_native_server_has_the_words_that_it_uses() -> None:
    text = (DOCS / "native-link.openapi.yaml").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"\^\(([a-z|-]+)\)\( \.\*\)\?\$", text)
    assert set(pattern.split("|")) == START_WORDS
    assert set(re.findall(r"^ *\| `([a-z-]+)` \|", text, re.MULTILINE)) == START_WORDS
    stop = yaml.safe_load(text)["components"]["schemas"]["Stopped"]["allOf"][1]["properties"]["stop"]
    assert set(stop["properties"]["info"]["enum"]) == {*STOP_WORDS, None}


def test_the_description_of_the_service_has_all_words() -> None:
    document = yaml.safe_load((DOCS / "openapi.yaml").read_text(encoding="utf-8"))
    description = document["components"]["schemas"]["OcppStatusResponse"]["properties"]["info"]["description"]
    assert re.findall(r"`([^`]*)`", description) == list(InfoWord)

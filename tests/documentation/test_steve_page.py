"""The page about SteVe and the runbook contain what an operator of SteVe needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from charger_link.dialects.steve import DIALECT

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "servers" / "steve.md").read_text(encoding="utf-8")
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "3.11", "8080", "8180", "`auth.user`", "`webapi.value`", "`api_password`", "`{bcrypt}`", "`server.host`", "in use",
        "no page for web users", "Case matters", "30 seconds", DIALECT.base_path, f"{DIALECT.default_connector} unless",
    ],
)  # fmt: skip
def test_the_page_contains(text: str) -> None:
    assert text in PAGE


def test_the_page_names_no_menu_of_the_web_interface_for_web_users() -> None:
    assert not re.search(r"web user[^.]*in \*Users\*", PAGE)


@pytest.mark.parametrize("text", [PAGE, RUNBOOK], ids=["page", "runbook"])
def test_the_page_says_that_a_new_id_is_rejected_only_while_the_charge_runs(text: str) -> None:
    (line,) = [
        line for line in text.splitlines() if "a new id with the same tag receives `token-refused`" in line
    ]
    assert re.search(r"while the charge (runs|is running)", line, re.IGNORECASE)

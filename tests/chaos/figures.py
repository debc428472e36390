"""The table of chaos figures in docs/reliability.md: a column for each dialect, of its last run with `--write`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scripts import sections
from tests.chaos.servers import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
PART = "chaos"


def write(dialect: str, figures: Mapping[str, int]) -> None:
    """Replace a dialect's column in the document."""
    sections.write(DOCUMENT, PART, replace_column(sections.read(DOCUMENT, PART), dialect, figures))


def replace_column(table: str, dialect: str, figures: Mapping[str, int]) -> str:
    """Return the table with these figures in the dialect's column. Rows of `figures` come first, in their order."""
    columns = _read_columns(table)
    columns[dialect] = {name: f"{value:,}" for name, value in figures.items()}
    names = list(dict.fromkeys([*figures, *(name for column in columns.values() for name in column)]))
    shown = [one for one in DIALECTS if one in columns]
    rows = [
        ["", *shown],
        ["---", *("---:" for _ in shown)],
        *([name, *(columns[one].get(name, "") for one in shown)] for name in names),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _read_columns(table: str) -> dict[str, dict[str, str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    if not rows:
        return {}
    header, _, *body = rows
    return {
        dialect: {row[0]: row[number] for row in body if row[number]}
        for number, dialect in enumerate(header)
        if dialect in DIALECTS
    }

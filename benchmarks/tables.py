"""Write tables, for the terminal and for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs import PEERS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figure


def compare(figures: Mapping[str, Mapping[str, Figure]]) -> list[list[str]]:
    """Return a row for each figure: the medians of all programs, a peer's with its ratio to the service's."""
    rows = [["figure", "n", SERVICE, *PEERS]]
    for name, by_program in figures.items():
        service = by_program.get(SERVICE)
        row = [name, f"{max(one['n'] for one in by_program.values()):,}"]
        for program in (SERVICE, *PEERS):
            one = by_program.get(program)
            text = "" if one is None else f"{one['median']:.4g} {one['unit']}"
            if one and service and program != SERVICE and service["median"]:
                text += f" ({one['median'] / service['median']:.2f} ×)"
            row.append(text)
        rows.append(row)
    return rows


def plain(rows: list[list[str]]) -> str:
    """Return a table with columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(rows: list[list[str]]) -> str:
    """Return a table in Markdown; the first row is the head."""
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

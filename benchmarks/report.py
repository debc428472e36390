"""The figures for people: a table for the terminal, and the same for docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs import PEERS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figure


def table(figures: Mapping[str, Mapping[str, Figure]]) -> list[list[str]]:
    """A row a figure: its name, the service's median, and each peer's with how many times the service's it is."""
    rows = [["figure", "n", *(name for name in (SERVICE, *PEERS))]]
    for name, of in figures.items():
        ours = of.get(SERVICE)
        row = [name, f"{max(one['n'] for one in of.values()):,}"]
        for program in (SERVICE, *PEERS):
            one = of.get(program)
            text = "" if one is None else f"{one['median']:.4g} {one['unit']}"
            if one and ours and program != SERVICE and ours["median"]:
                text += f" ({one['median'] / ours['median']:.2f} ×)"
            row.append(text)
        rows.append(row)
    return rows


def plain(rows: list[list[str]]) -> str:
    """Columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(rows: list[list[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

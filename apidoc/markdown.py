"""The little Markdown that the descriptions use, as HTML: paragraphs, lists, tables, bold, code."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def inline(text: str) -> str:
    """One line of text."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(text, quote=False)))


def block(text: str, table_label: str = "") -> str:
    """Several paragraphs; `table_label` names a table, which is folded away."""
    found = []
    for paragraph in text.strip().split("\n\n"):
        for kind, group in groupby(paragraph.splitlines(), _kind):
            lines = list(group)
            if kind == "|":
                found.append(_table(lines, table_label))
            elif kind == "-":
                found.append("<ul>" + "".join(f"<li>{inline(line[2:])}</li>" for line in lines) + "</ul>")
            else:
                found.append(f"<p>{inline(' '.join(lines))}</p>")
    return "\n".join(found)


def table(label: str, head: list[str], rows: list[list[str]]) -> str:
    """A table of cells in HTML; the first of each row names it.

    On a narrow screen its rows stand one under the other: the roles are said again, since that takes them away, and each cell
    knows its column.
    """
    heads = "".join(f'<th role="columnheader" scope="col">{cell}</th>' for cell in head)
    body = "".join(f'<tr role="row">{_cells(head, row)}</tr>' for row in rows)
    return (
        f'<table role="table" aria-label="{escape(label)}"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _cells(head: list[str], row: list[str]) -> str:
    name, *others = row
    cells = (
        f'<td role="cell" data-label="{escape(column)}">{cell}</td>' if cell else '<td role="cell"></td>'
        for column, cell in zip(head[1:], others, strict=True)
    )
    return f'<th role="rowheader" scope="row">{name}</th>{"".join(cells)}'


def _kind(line: str) -> str:
    return line[0] if line.startswith(("|", "- ")) else ""


def _table(lines: list[str], label: str) -> str:
    head, _, *rows = ([inline(cell.strip()) for cell in line.strip("| ").split("|")] for line in lines)
    # A cell that is empty at the end is stripped with its bars.
    width = len(head)
    whole = table(label, head, [row + [""] * (width - len(row)) for row in rows])
    return f"<details><summary>{escape(label)}</summary>{whole}</details>"

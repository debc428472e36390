"""Renders the subset of Markdown that the descriptions use as HTML: paragraphs, lists, tables, bold and code."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def render_inline(text: str) -> str:
    """Render one line of text."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(text, quote=False)))


def render_block(text: str, table_label: str = "") -> str:
    """Render several paragraphs. A table is collapsed, with `table_label` as its summary."""
    parts = []
    for paragraph in text.strip().split("\n\n"):
        for kind, group in groupby(paragraph.splitlines(), _line_kind):
            lines = list(group)
            if kind == "|":
                parts.append(_render_markdown_table(lines, table_label))
            elif kind == "-":
                items = "".join(f"<li>{render_inline(line[2:])}</li>" for line in lines)
                parts.append(f"<ul>{items}</ul>")
            else:
                parts.append(f"<p>{render_inline(' '.join(lines))}</p>")
    return "\n".join(parts)


def render_table(label: str, head: list[str], rows: list[list[str]]) -> str:
    """Render a table whose cells are HTML. The first cell of each row is the row's header.

    On a narrow screen the style sheet shows each row as a block. That removes the elements' implicit table roles, so
    the roles are explicit, and each cell carries the name of its column.
    """
    heads = "".join(f'<th role="columnheader" scope="col">{cell}</th>' for cell in head)
    body = "".join(f'<tr role="row">{_render_cells(head, row)}</tr>' for row in rows)
    return (
        f'<table role="table" aria-label="{escape(label)}"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _render_cells(head: list[str], row: list[str]) -> str:
    header, *others = row
    cells = (
        f'<td role="cell" data-label="{escape(column)}">{cell}</td>' if cell else '<td role="cell"></td>'
        for column, cell in zip(head[1:], others, strict=True)
    )
    return f'<th role="rowheader" scope="row">{header}</th>{"".join(cells)}'


def _line_kind(line: str) -> str:
    return line[0] if line.startswith(("|", "- ")) else ""


def _render_markdown_table(lines: list[str], label: str) -> str:
    head, _, *rows = ([render_inline(cell.strip()) for cell in line.strip("| ").split("|")] for line in lines)
    # Empty cells at the end of a row were stripped together with their bars.
    width = len(head)
    rendered = render_table(label, head, [row + [""] * (width - len(row)) for row in rows])
    return f"<details><summary>{escape(label)}</summary>{rendered}</details>"

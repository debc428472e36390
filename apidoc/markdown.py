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
    """Several paragraphs; `table_label` names a table for those who do not see it."""
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
    """A table of cells in HTML; the first of each row names it. It scrolls by itself where the screen is narrow."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(_cell(cell) for cell in cells)}</tr>'
        for name, *cells in rows
    )
    return (
        f'<div class="table" role="region" aria-label="{escape(label)}" tabindex="0"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(cell: str) -> str:
    return f'<td class="wide">{cell}</td>' if len(cell) > 60 else f"<td>{cell}</td>"


def _kind(line: str) -> str:
    return line[0] if line.startswith(("|", "- ")) else ""


def _table(lines: list[str], label: str) -> str:
    head, _, *rows = ([inline(cell.strip()) for cell in line.strip("| ").split("|")] for line in lines)
    # A cell that is empty at the end is stripped with its bars.
    width = len(head)
    return table(label, head, [row + [""] * (width - len(row)) for row in rows])

"""Replace generated parts of documents: the text between ``<!-- name: begin -->`` and ``<!-- name: end -->``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read(document: Path, name: str) -> str:
    """Return the part `name` of a document. Raises ValueError if there is none."""
    return _parts(document, name)[1].strip()


def write(document: Path, name: str, text: str) -> None:
    """Replace the part `name` of a document by `text`. Raises ValueError if there is none."""
    before, _, after = _parts(document, name)
    document.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def _parts(document: Path, name: str) -> tuple[str, str, str]:
    """Return the text up to the end of the first mark, between the marks, and from the second mark."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(f"<!-- {name}: begin -->")
    between, end, after = rest.partition(f"<!-- {name}: end -->")
    if not end:
        raise ValueError(f"{document} has no part with the marks of {name!r}")
    return before + begin, between, end + after

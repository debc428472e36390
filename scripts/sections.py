"""The part of a document that a program writes: what stands between ``<!-- name: begin -->`` and ``<!-- name: end -->``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def shown(document: Path, name: str) -> str:
    """What stands there now; ValueError where the document has no such part."""
    return _parts(document, name)[1].strip()


def write(document: Path, name: str, text: str) -> None:
    """Put `text` there; ValueError where the document has no such part."""
    before, _, after = _parts(document, name)
    document.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def _parts(document: Path, name: str) -> tuple[str, str, str]:
    """Up to the first mark, between the marks, and from the second one on."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(f"<!-- {name}: begin -->")
    between, end, after = rest.partition(f"<!-- {name}: end -->")
    if not end:
        raise ValueError(f"{document} has no part between the marks of {name!r}")
    return before + begin, between, end + after

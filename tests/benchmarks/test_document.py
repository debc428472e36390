"""docs/performance.md shows the saved results."""

from __future__ import annotations

from benchmarks import document


def test_the_document_shows_the_figures_of_the_latest_results() -> None:
    assert document.generate() in document.DOCUMENT.read_text(encoding="utf-8")

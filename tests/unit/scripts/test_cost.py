"""docs/cost.md holds what scripts/cost.py computes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.cost import DOCUMENT, MARKS, Figures, million, tables


def test_the_document_holds_the_tables_of_the_script() -> None:
    written = DOCUMENT.read_text().partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert written.strip() == tables(Figures())


def test_waiting_costs_memory_times_seconds() -> None:
    short, long = (million(replace(Figures(), wait=wait)) for wait in (1.0, 3.0))
    assert sum(long.values()) - sum(short.values()) == pytest.approx(2 * 0.5 * 13.3334)

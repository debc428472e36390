"""docs/cost.md contains the tables that scripts/cost.py computes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts import sections
from scripts.cost import DOCUMENT, PART, Figures, million, tables


def test_the_document_contains_the_tables_of_the_script() -> None:
    assert sections.read(DOCUMENT, PART) == tables(Figures())


def test_the_price_of_waiting_is_memory_times_seconds() -> None:
    short, long = (million(replace(Figures(), wait=wait)) for wait in (1.0, 3.0))
    assert sum(long.values()) - sum(short.values()) == pytest.approx(2 * 0.5 * 13.3334)

"""A small storm of a fixed seed. `make chaos` has the large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.__main__ import run, told
from tests.end_to_end.conftest import artefact  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.artefact
def test_no_charge_is_started_twice_and_no_attempt_is_lost(artefact: Path) -> None:
    verdict, counts = run(seed=7, attempts=16)
    assert verdict.doubles == []
    assert verdict.lost == []
    assert verdict.starts > 0, told(verdict, counts)
    assert counts["attempts"] == sum(verdict.states.values())

"""A small storm with a fixed seed. `make chaos` runs large ones."""

from __future__ import annotations

import pytest

from local.chargers import Reaction
from tests.chaos.__main__ import run, summarize
from tests.chaos.servers import DIALECTS


@pytest.mark.artefact
@pytest.mark.usefixtures("artefact")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_charge_is_started_twice_and_no_attempt_is_lost(dialect: str) -> None:
    unusual = (Reaction.REJECT, Reaction.DROP)
    verdict, counts = run(7, attempts=16, dialect=dialect, chargers=8, runtimes=3, unusual=unusual)
    assert verdict.doubles == []
    assert verdict.lost == []
    if dialect != "citrineos":  # its records cannot be searched
        assert verdict.missed == []
    assert verdict.starts > 0, summarize(verdict, counts)
    assert counts["attempts"] == sum(verdict.states.values())

"""A small storm with a fixed seed. `make chaos` runs large ones."""

from __future__ import annotations

import pytest

from local.chargers import Reaction
from tests.chaos.__main__ import run, summarize


@pytest.mark.artefact
@pytest.mark.usefixtures("artefact")
def test_no_charge_is_started_twice_and_no_attempt_is_lost() -> None:
    verdict, counts = run(7, attempts=16, chargers=8, runtimes=3, unusual=(Reaction.REJECT,))
    assert verdict.doubles == []
    assert verdict.lost == []
    assert verdict.starts > 0, summarize(verdict, counts)
    assert counts["attempts"] == sum(verdict.states.values())

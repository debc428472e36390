"""MODEL_EXAMPLES=2000 searches as many runs, other ones each time; without it a few, always the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from tests.model.machine import Callers

EXAMPLES = os.environ.get("MODEL_EXAMPLES")
SEARCH = settings(
    max_examples=int(EXAMPLES or 30),
    stateful_step_count=30,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_order_of_events_starts_a_charge_twice_or_loses_an_attempt(callers: type[Callers]) -> None:
    run_state_machine_as_test(callers, settings=SEARCH)

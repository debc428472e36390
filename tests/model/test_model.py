"""Search for orders of events that break an invariant.

With MODEL_EXAMPLES=2000 the search has 2000 random runs, which differ each time. By default it has a few runs, always the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from common.journal import Journal
from tests.integration.journal import version_1_0
from tests.model.machine import CALLING, NATIVE, PLAIN

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
    callers.ports = (NATIVE, PLAIN)
    run_state_machine_as_test(callers, settings=SEARCH)


def test_no_order_of_events_with_callbacks_and_deleted_items_breaks_an_invariant(
    callers: type[Callers],
) -> None:
    callers.ports, callers.deletes, callers.max_ids = (CALLING, CALLING, PLAIN), True, 3
    run_state_machine_as_test(callers, settings=SEARCH)


def test_no_order_of_events_with_two_versions_side_by_side_breaks_an_invariant(
    callers: type[Callers],
) -> None:
    callers.versions = (Journal, version_1_0.Journal)
    run_state_machine_as_test(callers, settings=SEARCH)

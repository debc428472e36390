"""What is due for an attempt of the index, in each of its states."""

from __future__ import annotations

from typing import Any

import pytest

from common.journal import Attempt
from common.journal.attempt import timestamp
from common.journal.unfinished import LOOK_FOR, NOT_DUE
from resolve.steps import Action, Step, next_step
from tests.unit.journal.transitions import NOT_STARTED, NOW, STARTED, item

SENT = NOW - 100
LEASE = NOW - 71
END = LEASE + LOOK_FOR
LOOK, LEAVE, NOTHING = Step(Action.LOOK), Step(Action.LEAVE), Step(Action.NOTHING)
STEVE = {"dialect": "steve", "lease": LEASE, "sentAt": timestamp(SENT), "shard": "0", "dueAt": NOW}
WITHOUT = {"dialect": "ocpp-core"}
OF_TOMORROW = {"dialect": "of tomorrow"}
RESOLVED = {"resolution": NOT_STARTED}
OLDER_TRY = {"resolution": NOT_STARTED, "tries": 2}
RUNNING = {"state": "pending", "lease": NOW + 10}
DIED = {"state": "pending"}


def postponed(due: float) -> Step:
    return Step(Action.POSTPONE, due)


def expires(due: float) -> Step:
    return Step(Action.EXPIRE, due)


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"state": "unknown"}, LOOK),
        ({"state": "unknown", "dueAt": NOW + 30}, LOOK),
        ({"state": "unknown", "dueAt": NOW + 31}, NOTHING),
        ({"state": "unknown", "dueAt": NOT_DUE}, NOTHING),
        ({"state": "unknown", **WITHOUT}, postponed(NOT_DUE)),
        ({"state": "unknown", **OF_TOMORROW}, postponed(NOT_DUE)),
        ({"state": "unknown", "dialect": "native"}, LOOK),
        # The holder has not finished, or an older version took the attempt over.
        ({**RUNNING, "dueAt": NOW + 10}, NOTHING),
        ({**RUNNING, "dueAt": NOW + 20}, NOTHING),
        (RUNNING, postponed(NOW + 10)),
        # The holder has died.
        (DIED, expires(NOW)),
        ({**DIED, "sentAt": timestamp(NOW - 20)}, expires(NOW + 10)),
        ({**DIED, **WITHOUT}, expires(NOT_DUE)),
        ({**DIED, **OF_TOMORROW}, expires(NOT_DUE)),
        # An older version left the entry behind.
        ({"state": "completed"}, LEAVE),
        ({"state": "failed"}, LEAVE),
        ({"state": "completed", "resolution": STARTED}, LEAVE),
        # An operator's word can be wrong for a day.
        ({"state": "failed", **RESOLVED}, LOOK),
        ({"state": "completed", **RESOLVED}, LOOK),
        ({"state": "unknown", **RESOLVED}, LOOK),
        ({"state": "failed", **RESOLVED, **WITHOUT}, postponed(END)),
        ({"state": "failed", **RESOLVED, "lease": NOW - LOOK_FOR}, LEAVE),
        ({"state": "completed", **RESOLVED, "lease": NOW - LOOK_FOR}, LEAVE),
        ({"state": "unknown", **RESOLVED, "lease": NOW - LOOK_FOR, **WITHOUT}, postponed(NOT_DUE)),
        # An older version failed a later try, which changes nothing about the earlier ones.
        ({"state": "failed", **OLDER_TRY}, LOOK),
        ({"state": "failed", **OLDER_TRY, "lease": NOW - LOOK_FOR, **WITHOUT}, postponed(NOT_DUE)),
    ],
)  # fmt: skip
def test_each_state_has_one_step(changes: dict[str, Any], step: Step) -> None:
    attempt = Attempt.of(item(**{**STEVE, **changes}))
    found = next_step(attempt, NOW)
    assert found.action is step.action
    assert found.due == pytest.approx(step.due)


def test_an_entry_whose_item_is_deleted_or_finished_needs_nothing() -> None:
    assert next_step(None, NOW) == NOTHING
    left = Attempt.of(item(state="completed"))
    assert next_step(left, NOW) == NOTHING

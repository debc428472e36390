"""Sweeps of the built resolve function: each second during the storm, and after it until nothing more is found."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from common.journal import State
from common.journal.attempt import parse_timestamp, timestamp
from common.journal.evidence import SETTLING
from common.journal.unfinished import NOT_DUE
from local.gateway import FunctionError

if TYPE_CHECKING:
    from common.journal import Attempt
    from tests.chaos.harness import Harness

_EVENT = {"sweep": True}
_MAX_SWEEPS = 100  # of one round
_UNSETTLED = State.PENDING, State.UNKNOWN


class Sweeper:
    """A thread that invokes the function until the end of the block. Faults may kill it, and the table may fail."""

    def __init__(self, harness: Harness, pause: float = 1.0) -> None:
        self._harness, self._pause = harness, pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause):
            try:
                self._harness.runtimes.invoke("ResolveFunction", _EVENT)
            except FunctionError:
                continue


def sweep_to_the_end(harness: Harness) -> int:
    """Sweep until a round has settled nothing and will settle nothing; return the number of attempts that the sweeps completed.

    Instead of waiting for the growing pauses between two looks, each round makes all looks due. No clock is changed: what a look
    finds too young to be certain is old enough in a later round.
    """
    harness.wait_for_leases()
    began = timestamp(time.time())
    before = left = _read_unsettled(harness)
    while left:
        _look_at_each(harness)
        now = _read_unsettled(harness)
        is_young = any(_is_young(attempt) for attempt in now.values())
        if now.keys() == left.keys() and not is_young:
            break
        left = now
        time.sleep(SETTLING if is_young else 0)
    attempts = harness.read_attempts()
    # A callback can complete one meanwhile, without a look.
    return sum((attempts[id_].lookedAt or "") > began for id_ in before.keys() - left.keys())


def _look_at_each(harness: Harness) -> None:
    """Sweep until each attempt that is looked for was looked at."""
    began = timestamp(time.time())
    for _ in range(_MAX_SWEEPS):
        waiting = [attempt for attempt in harness.read_attempts().values() if _is_waiting(attempt, began)]
        if not waiting:
            return
        for attempt in waiting:
            _make_due(attempt, harness)
        harness.runtimes.invoke("ResolveFunction", _EVENT)
    raise RuntimeError(f"{len(waiting)} attempts were not looked at in {_MAX_SWEEPS} sweeps")


def _is_waiting(attempt: Attempt, since: str) -> bool:
    return attempt.dueAt is not None and attempt.dueAt < NOT_DUE and (attempt.lookedAt or "") < since


def _make_due(attempt: Attempt, harness: Harness) -> None:
    update = {
        "TableName": harness.table.name,
        "Key": {"id": {"S": attempt.id}},
        "UpdateExpression": "SET dueAt = :now",
        "ExpressionAttributeValues": {":now": {"N": f"{time.time():.3f}"}},
    }
    harness.table.call("UpdateItem", update)


def _is_young(attempt: Attempt) -> bool:
    """Return whether the last look found a transaction that was too young to be certain."""
    looked_at = parse_timestamp(attempt.lookedAt or attempt.createdAt)
    seen = (attempt.sightings or {}).values()
    return any(looked_at - parse_timestamp(text) < SETTLING for text in seen)


def _read_unsettled(harness: Harness) -> dict[str, Attempt]:
    attempts = harness.read_attempts().items()
    return {id_: attempt for id_, attempt in attempts if attempt.state in _UNSETTLED}

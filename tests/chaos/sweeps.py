"""Sweeps of the built resolve function: each second during the storm, and after it until nothing more is found."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from common.journal import State
from common.journal.attempt import timestamp
from common.journal.evidence import SETTLING
from common.journal.unfinished import NOT_DUE
from local.gateway import FunctionError

if TYPE_CHECKING:
    from common.journal import Attempt
    from tests.chaos.harness import Harness

_EVENT = {"sweep": True}
_MAX_SWEEPS = 100  # of one round
_IDLE_ROUNDS = 2  # in a row, after which nothing more is found
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
    """Sweep until two rounds in a row have settled nothing; return the number of attempts that the sweeps settled.

    Instead of waiting for the growing pauses between two looks, each round makes all looks due. No clock is changed: what is too
    young to be certain in one round is old enough in the next.
    """
    harness.wait_for_leases()
    before = left = _read_unsettled(harness)
    idle = 0
    while left and idle < _IDLE_ROUNDS:
        _look_at_each(harness)
        now = _read_unsettled(harness)
        idle = idle + 1 if now == left else 0
        left = now
        time.sleep(SETTLING)
    return len(before - left)


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


def _read_unsettled(harness: Harness) -> set[str]:
    attempts = harness.read_attempts().values()
    return {attempt.id for attempt in attempts if attempt.state in _UNSETTLED}

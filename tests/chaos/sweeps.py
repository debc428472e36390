"""Sweeps of the built resolve function: each second during the storm, and after it until nothing more is found."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from common.journal import State
from common.journal.evidence import SETTLING
from common.journal.unfinished import NOT_DUE
from local.gateway import FunctionError

if TYPE_CHECKING:
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

    Instead of waiting for the growing pauses between two looks, each round makes all looks due. The clocks are not changed: a
    round begins when the index of a charger's attempts has followed the looks of the round before.
    """
    harness.wait_for_leases()
    before = left = _read_unsettled(harness)
    idle = 0
    while left and idle < _IDLE_ROUNDS:
        _sweep_once_each(harness)
        now = _read_unsettled(harness)
        idle = idle + 1 if now == left else 0
        left = now
        time.sleep(SETTLING)
    return len(before - left)


def _sweep_once_each(harness: Harness) -> None:
    """Make every look due, and sweep until none is due."""
    now = time.time()
    for attempt in harness.read_attempts().values():
        if attempt.dueAt is not None and now < attempt.dueAt < NOT_DUE:
            harness.table.call(
                "UpdateItem",
                {
                    "TableName": harness.table.name,
                    "Key": {"id": {"S": attempt.id}},
                    "UpdateExpression": "SET dueAt = :now",
                    "ExpressionAttributeValues": {":now": {"N": f"{now:.3f}"}},
                },
            )
    for _ in range(_MAX_SWEEPS):
        harness.runtimes.invoke("ResolveFunction", _EVENT)
        if not any((one.dueAt or NOT_DUE) <= now for one in harness.read_attempts().values()):
            return
    raise RuntimeError(f"looks are still due after {_MAX_SWEEPS} sweeps")


def _read_unsettled(harness: Harness) -> set[str]:
    attempts = harness.read_attempts().values()
    return {attempt.id for attempt in attempts if attempt.state in _UNSETTLED}

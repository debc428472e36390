"""Inject random faults, one after the other, until the load has ended. The seed determines their order."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from local.table import BROKEN, LOST_RESPONSE, THROTTLED, Fault

if TYPE_CHECKING:
    from tests.chaos.harness import Harness

_TABLE_FAULTS = (Fault(delay=1.5), Fault(delay_response=1.5), THROTTLED, BROKEN, LOST_RESPONSE)
_FAULT_KINDS = ("runtime killed",) * 4 + ("server killed",) + ("socket cut",) * 4 + ("table stalled",) * 2


class Storm:
    """A thread that injects faults until the end of the block, or for `seconds`. `faults` counts them by kind."""

    def __init__(self, harness: Harness, rng: random.Random, seconds: float) -> None:
        self._harness, self._rng, self._seconds = harness, rng, seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.faults: Counter[str] = Counter()

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._harness.table.on_request = _no_fault

    def _run(self) -> None:
        until = time.monotonic() + self._seconds
        while not self._stopped.wait(self._rng.uniform(0.1, 0.7)) and time.monotonic() < until:
            kind = self._rng.choice(_FAULT_KINDS)
            self._inject(kind)
            self.faults[kind] += 1

    def _inject(self, kind: str) -> None:
        rng, harness = self._rng, self._harness
        match kind:
            case "runtime killed":
                harness.runtimes.kill(rng)
            case "server killed":
                harness.server.kill(downtime=rng.uniform(0.0, 1.0))
            case "socket cut":
                harness.cut_socket(rng.choice(sorted(harness.chargers)))
            case _:
                share, fault = rng.uniform(0.3, 1.0), rng.choice(_TABLE_FAULTS)
                request_rng = random.Random(rng.random())
                harness.table.on_request = lambda _operation, _body: (
                    fault if request_rng.random() < share else None
                )
                self._stopped.wait(rng.uniform(0.3, 1.5))
                harness.table.on_request = _no_fault


def _no_fault(_operation: str, _body: dict[str, Any]) -> None:
    return None

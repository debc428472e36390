"""What goes wrong, at random: one fault after the other, drawn from the seed, until the load has passed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from local.table import BROKEN, LOST_RESPONSE, THROTTLED, Fault

if TYPE_CHECKING:
    from tests.chaos.harness import Stage

_STALLED = (Fault(delay=1.5), Fault(delay_response=1.5), THROTTLED, BROKEN, LOST_RESPONSE)
_FAULTS = ("runtime killed",) * 4 + ("server killed",) + ("socket cut",) * 4 + ("table stalled",) * 2


class Storm:
    """A thread that strikes until it is left, or for `seconds`; ``strikes`` counts by kind."""

    def __init__(self, stage: Stage, draw: random.Random, seconds: float) -> None:
        self._stage, self._draw, self._seconds = stage, draw, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage)
        self.strikes: Counter[str] = Counter()

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._stage.table.on_request = _calm

    def _rage(self) -> None:
        until = time.monotonic() + self._seconds
        while not self._over.wait(self._draw.uniform(0.1, 0.7)) and time.monotonic() < until:
            kind = self._draw.choice(_FAULTS)
            self._strike(kind)
            self.strikes[kind] += 1

    def _strike(self, kind: str) -> None:
        draw, stage = self._draw, self._stage
        match kind:
            case "runtime killed":
                stage.runtimes.kill(draw)
            case "server killed":
                stage.server.kill(away=draw.uniform(0.0, 1.0))
            case "socket cut":
                stage.cut(draw.choice(sorted(stage.chargers)))
            case _:
                share, fault = draw.uniform(0.3, 1.0), draw.choice(_STALLED)
                chance = random.Random(draw.random())
                stage.table.on_request = lambda _operation, _body: fault if chance.random() < share else None
                self._over.wait(draw.uniform(0.3, 1.5))
                stage.table.on_request = _calm


def _calm(_operation: str, _body: dict[str, Any]) -> None:
    return None

"""The cost of a million requests by memory size, as in docs/cost.md, from the measured figures."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from scripts.cost import Figures, million

FULL_CORE = 1769  # MB; Lambda gives CPU in proportion: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
TABLE_CALL = 0.004  # assumed seconds of a DynamoDB call over the network: the stub table responds at once
SIZES = (256, 512, 1024, FULL_CORE)


class MemoryCost(NamedTuple):
    """`memory` in MB; `own` in milliseconds a request, without the wait for the charger; `dollars` per million requests."""

    memory: int
    own: float
    dollars: float


def by_memory(cpu: float, calls: float) -> list[MemoryCost]:
    """Return the cost for each memory size. `cpu` is milliseconds a request on a full core, `calls` its DynamoDB calls."""
    costs = []
    for memory in SIZES:
        own = cpu / 1000 / min(1.0, memory / FULL_CORE) + calls * TABLE_CALL
        dollars = sum(million(replace(Figures(), own=own, memory=memory)).values())
        costs.append(MemoryCost(memory, own * 1000, dollars))
    return costs

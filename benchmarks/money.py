"""Dollars per million connects at the measured figures, by the formula of docs/cost.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scripts.cost import Figures, million

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figure

FULL_CORE = 1769  # MB; Lambda gives CPU in proportion: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
NETWORK = 0.004  # seconds of a DynamoDB call over the network, assumed: the benchmarks' table answers at once
SIZES = (256, 512, 1024, FULL_CORE)


def seconds(cpu: float, calls: float, memory: int) -> float:
    """How long a request takes beside its charger: `cpu` milliseconds at the share of a core, and its calls of the table."""
    return cpu / 1000 / min(1.0, memory / FULL_CORE) + calls * NETWORK


def of_program(figures: Mapping[str, Mapping[str, Figure]], program: str) -> float:
    """Dollars per million that the program itself decides: its own work, its cold starts, its writes; waiting is the same for all."""
    assumed = Figures()
    cost = million(
        replace(
            assumed,
            own=seconds(
                figures["warm_cpu_json"][program]["median"],
                figures["dynamodb_calls"][program]["median"],
                assumed.memory,
            ),
            cold=figures["cold_start_as_deployed"][program]["median"],
            write_units=figures["capacity_units"][program]["median"],
        )
    )
    return cost["Lambda, our own work"] + cost["DynamoDB, two writes"]


def by_memory(cpu: float, calls: float) -> list[tuple[int, float, float]]:
    """Memory in MB, milliseconds that a request takes beside its charger, dollars per million with all that docs/cost.md counts."""
    rows = []
    for memory in SIZES:
        own = seconds(cpu, calls, memory)
        rows.append((memory, own * 1000, sum(million(replace(Figures(), own=own, memory=memory)).values())))
    return rows

"""Samples, and what is told of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TypedDict


class Figure(TypedDict):
    """`n` is how many were measured; the rest tells of the samples, each of which may stand for several."""

    median: float
    min: float
    max: float
    n: int
    unit: str


class Samples:
    """Every value measured, by figure and program."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._measured: Counter[tuple[str, str]] = Counter()
        self._units: dict[str, str] = {}

    def add(self, figure: str, program: str, value: float, unit: str, of: int = 1) -> None:
        """One sample, which stands for `of` measurements: a round of requests is one sample."""
        self._values[figure, program].append(value)
        self._measured[figure, program] += of
        self._units[figure] = unit

    def figures(self) -> dict[str, dict[str, Figure]]:
        """`{figure: {program: {"median", "min", "max", "n", "unit"}}}`, in the order in which they were first measured."""
        found: dict[str, dict[str, Figure]] = {}
        for (figure, program), values in self._values.items():
            found.setdefault(figure, {})[program] = {
                "median": round(median(values), 4),
                "min": round(min(values), 4),
                "max": round(max(values), 4),
                "n": self._measured[figure, program],
                "unit": self._units[figure],
            }
        return found


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]

"""Collect samples, and summarise them as figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TypedDict


class Figure(TypedDict):
    """A summary of the samples. `n` counts measurements: one sample may be the mean of a whole round of them."""

    median: float
    min: float
    max: float
    n: int
    unit: str


class Samples:
    """All measured values, by figure and program."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._measured: Counter[tuple[str, str]] = Counter()
        self._units: dict[str, str] = {}

    def add(self, figure: str, program: str, value: float, unit: str, measurements: int = 1) -> None:
        """Add one sample, which summarises `measurements` measurements."""
        self._values[figure, program].append(value)
        self._measured[figure, program] += measurements
        self._units[figure] = unit

    def figures(self) -> dict[str, dict[str, Figure]]:
        """Return `{figure: {program: {"median", "min", "max", "n", "unit"}}}`, in the order of measurement."""
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

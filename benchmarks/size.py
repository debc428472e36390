"""The unzipped size of a function with its layers. Lambda limits it to 250 MB, and each cold start loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs import layers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.figures import Samples
    from benchmarks.programs import Program


def measure(programs: Sequence[Program], samples: Samples) -> None:
    """Add `size`, in MB as deployed: the service with bytecode, the peers without."""
    for program in programs:
        total = sum(_size(directory) for directory in layers(program.deployed))
        samples.add("size", program.name, total / 1e6, "MB")


def _size(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())

"""Warm requests in the function's own process: CPU, wall and memory, the programs taking turns."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import events
from benchmarks.figures import percentile
from benchmarks.function import Function
from benchmarks.programs import SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Samples
    from benchmarks.programs import Program
    from benchmarks.surroundings import Surroundings

_SETTLING = 50  # requests before anything counts: first connections, caches, lazy imports


def measure(
    programs: Sequence[Program], around: Surroundings, samples: Samples, rounds: int, requests: int
) -> dict[str, dict[int, float]]:
    """`warm_cpu_json`, `warm_cpu_xml`: CPU milliseconds a request; `overhead_p50`, `overhead_p99`: wall milliseconds beside the
    link, which answers at once; `memory`: the peak after `rounds` times `requests` of JSON.

    Only the service reads XML, in a process of its own. Gives each program's peak in MB by the number of requests served.
    """
    peaks: dict[str, dict[int, float]] = {}
    with ExitStack() as stack:
        functions = [
            (stack.enter_context(Function(program, around.variables())), xml)
            for program in programs
            for xml in ((False, True) if program.name == SERVICE else (False,))
        ]
        for function, xml in functions:
            first = function.serve([events.connect(around.link, xml=xml)])
            if not xml:
                peaks[function.program.name] = {1: _megabytes(first.peak)}
            function.serve([events.connect(around.link, xml=xml) for _ in range(_SETTLING)])
        for turn in range(rounds):
            for function, xml in functions:
                name = function.program.name
                batch = function.serve([events.connect(around.link, xml=xml) for _ in range(requests)])
                cpu = batch.cpu / requests * 1000
                if xml:
                    samples.add("warm_cpu_xml", name, cpu, "ms", requests)
                    continue
                samples.add("warm_cpu_json", name, cpu, "ms", requests)
                samples.add("overhead_p50", name, percentile(batch.walls, 0.5) * 1000, "ms", requests)
                samples.add("overhead_p99", name, percentile(batch.walls, 0.99) * 1000, "ms", requests)
                peaks[name][(turn + 1) * requests] = _megabytes(batch.peak)
    for name, by_requests in peaks.items():
        samples.add("memory", name, by_requests[rounds * requests], "MB")
    return peaks


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)

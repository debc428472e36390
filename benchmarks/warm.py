"""CPU time of warm requests, measured in the function's own process. The programs take turns."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import events
from benchmarks.function_process import FunctionProcess
from benchmarks.programs import SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.endpoints import Endpoints
    from benchmarks.figures import Samples
    from benchmarks.programs import Program

_WARM_UP = 50  # requests that are not measured: they open connections, fill caches and import lazily


def measure(
    programs: Sequence[Program], endpoints: Endpoints, samples: Samples, rounds: int, requests: int
) -> None:
    """Add `warm_cpu_json` and `warm_cpu_xml`, CPU milliseconds a request, of `rounds` times `requests` requests.

    Only the service reads XML. Its JSON and its XML requests go to separate processes.
    """
    with ExitStack() as stack:
        processes = [
            (stack.enter_context(FunctionProcess(program, endpoints.variables())), xml)
            for program in programs
            for xml in ((False, True) if program.name == SERVICE else (False,))
        ]
        for process, xml in processes:
            process.invoke([events.connect(endpoints.link, xml=xml) for _ in range(_WARM_UP)])
        for _ in range(rounds):
            for process, xml in processes:
                batch = process.invoke([events.connect(endpoints.link, xml=xml) for _ in range(requests)])
                figure = "warm_cpu_xml" if xml else "warm_cpu_json"
                samples.add(figure, process.program.name, batch.cpu / requests * 1000, "ms", requests)

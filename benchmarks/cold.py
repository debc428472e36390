"""Cold starts under the real runtime interface client, each in a fresh process. The programs take turns."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import events
from benchmarks.programs import FUNCTION
from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.endpoints import Endpoints
    from benchmarks.figures import Samples
    from benchmarks.programs import Program


def measure(programs: Sequence[Program], endpoints: Endpoints, samples: Samples, runs: int) -> None:
    """Add `cold_start`, `init_cpu`, `cold_start_with_secret` and `cold_start_as_deployed`, in seconds.

    The first three compare programs that all have bytecode. For the last, a peer has none, as `sam build` leaves it; the service
    is deployed with bytecode.
    """
    for _ in range(runs):
        for program in programs:
            wall, cpu = start(program.artefact, endpoints)
            samples.add("cold_start", program.name, wall, "s")
            samples.add("init_cpu", program.name, cpu, "s")
            with_secret, _ = start(program.artefact, endpoints, secret=True)
            samples.add("cold_start_with_secret", program.name, with_secret, "s")
            if program.deployed != program.artefact:
                wall, _ = start(program.deployed, endpoints)
            samples.add("cold_start_as_deployed", program.name, wall, "s")


def start(artefact: Path, endpoints: Endpoints, *, secret: bool = False) -> tuple[float, float]:
    """Start a function; return the seconds to its first response, and the CPU seconds of its process until then.

    With `secret`, the first request reads the secret of its OCPP server.
    """
    variables = endpoints.variables_with_secret() if secret else endpoints.variables()
    with Emulator(FUNCTION, variables, artefact=artefact) as function:
        event = events.connect(endpoints.link, charger="SECRET-1" if secret else "CP-1")
        # The emulator starts the process when it receives the first request.
        began = time.perf_counter()
        response = function.invoke(event)
        wall = time.perf_counter() - began
        (runtime,) = function.runtimes()
        cpu = cpu_seconds(runtime)
        if response.get("statusCode") != 200:
            raise RuntimeError(f"{artefact} returned {response}\n{function.output()}")
    return wall, cpu


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, user and system. The kernel counts it in nanoseconds, for each thread."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

"""Cold starts under the real runtime interface client: a fresh process each, the programs taking turns."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import events
from benchmarks.function import environment
from benchmarks.programs import FUNCTION
from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Samples
    from benchmarks.programs import Program
    from benchmarks.surroundings import Surroundings


def measure(programs: Sequence[Program], around: Surroundings, samples: Samples, runs: int) -> None:
    """`cold_start`: seconds from the start of the process to its first answer; `init_cpu`: what it computed until then.

    `cold_start_as_deployed` is the same of what `sam build` leaves: peers without bytecode. Ours has it either way.
    """
    for _ in range(runs):
        for program in programs:
            wall, cpu = start(program.artefact, around)
            samples.add("cold_start", program.name, wall, "s")
            samples.add("init_cpu", program.name, cpu, "s")
            if program.deployed != program.artefact:
                wall, _ = start(program.deployed, around)
            samples.add("cold_start_as_deployed", program.name, wall, "s")


def start(artefact: Path, around: Surroundings) -> tuple[float, float]:
    """One cold start: seconds to the first answer, and CPU seconds of the runtime's process until then."""
    with Emulator(FUNCTION, around.variables(), artefact=artefact) as function:
        event = events.connect(around.link)
        # The emulator starts the process when the first request comes.
        began = time.perf_counter()
        answer = function.invoke(event)
        wall = time.perf_counter() - began
        (runtime,) = function.runtimes()
        cpu = cpu_seconds(runtime)
        if answer.get("statusCode") != 200:
            raise RuntimeError(f"{artefact} answered {answer}\n{function.output()}")
    return wall, cpu


def cpu_seconds(pid: int) -> float:
    """What the threads of a process have computed, in nanoseconds' precision (user and system)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def dearest_imports(
    program: Program, around: Surroundings, runs: int, count: int = 10
) -> list[tuple[str, float]]:
    """The modules whose own import takes longest, in milliseconds, the median of some runs."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        done = subprocess.run(
            [
                str(Path(sys.executable).resolve()),
                "-S",
                "-X",
                "importtime",
                "-c",
                "import charger_connect.app",
            ],
            env=environment(program, around.variables()),
            cwd=program.artefact / FUNCTION,
            capture_output=True,
            text=True,
            check=True,
        )
        for line in done.stderr.splitlines():
            own, bar, name = line.removeprefix("import time:").partition("|")
            if bar and own.strip().isdecimal():
                found[name.partition("|")[2].strip()].append(int(own) / 1000)
    dearest = sorted(((name, median(own)) for name, own in found.items()), key=lambda pair: -pair[1])
    return [(name, round(own, 1)) for name, own in dearest[:count]]

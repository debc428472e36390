"""python -m benchmarks [--quick] [--only cold,warm,traffic,growth,size,imports,client] [--results DIRECTORY]

Measures the service and its peers in one run, prints the table, and writes `latest.json`, `details.json`, `latest.svg` and the measured
part of docs/performance.md. With `--only`, what is not measured keeps the figures of the run before. A quick run's files go to
`benchmarks/.cache/quick`: its figures are no results.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import clients, cold, document, growth, picture, programs, report, size, traffic, warm
from benchmarks.figures import Samples
from benchmarks.surroundings import canned
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = ("size", "traffic", "growth", "imports", "client", "cold", "warm")
RESULTS = document.RESULTS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few of each: shows that it runs, measures nothing"
    )
    parser.add_argument("--only", type=_steps, default=STEPS, help=f"steps, of {','.join(STEPS)}")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args(arguments)
    if reason := emulator.missing():
        print(reason, file=sys.stderr)
        return 1
    measured = run(given.only, quick=given.quick)
    write(*measured, given.results or (programs.CACHE / "quick" if given.quick else RESULTS))
    return 0


def _steps(text: str) -> list[str]:
    """The steps that a command line names, in the order in which they are carried out. ArgumentTypeError."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(STEPS):
        raise argparse.ArgumentTypeError(f"no such step: {', '.join(sorted(unknown))}")
    return [step for step in STEPS if step in wanted]


def run(steps: Sequence[str], *, quick: bool) -> tuple[Samples, dict[str, Any]]:
    """Carry out `steps`, telling on standard error what is being done."""
    began = time.monotonic()
    samples = Samples()
    details: dict[str, Any] = {"run": _about()}

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    say("building and installing")
    all_programs = programs.prepare()
    service = all_programs[0]
    with canned() as around:
        for step in steps:
            say(step)
            match step:
                case "size":
                    size.measure(all_programs, samples)
                case "traffic":
                    details["round_trips"] = traffic.measure(all_programs, around, samples)
                case "growth":
                    sizes = (20, 200) if quick else growth.SIZES
                    details["growth"] = growth.measure(service, around, sizes)
                case "imports":
                    runs = 1 if quick else 5
                    details["dearest_imports"] = {
                        each.name: dict(cold.dearest_imports(each, around, runs)) for each in all_programs
                    }
                case "client":
                    runs, calls = (1, 10) if quick else (5, 1000)
                    details["journal_client"] = clients.measure(service, around, runs, calls)
                case "cold":
                    cold.measure(all_programs, around, samples, runs=1 if quick else 20)
                case "warm":
                    rounds, requests = (2, 10) if quick else (10, 1000)
                    details["memory"] = warm.measure(all_programs, around, samples, rounds, requests)
    say("done")
    return samples, details


def write(samples: Samples, details: dict[str, Any], results: Path) -> None:
    """The files of a run; figures and details that it did not measure stay as they were."""
    results.mkdir(parents=True, exist_ok=True)
    figures = _merged(results / "latest.json", samples.figures())
    _merged(results / "details.json", details)
    (results / "latest.svg").write_text(picture.draw(figures), encoding="utf-8")
    print(report.plain(report.table(figures)))
    if results == RESULTS:
        document.write()


def _merged(path: Path, new: dict[str, Any]) -> dict[str, Any]:
    old: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    merged = old | new
    path.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return merged


def _about() -> dict[str, Any]:
    """What it ran on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": f"{os.cpu_count()} cores of {model or platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    sys.exit(main())

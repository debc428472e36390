"""python -m benchmarks [--quick] [--only size,round_trips,journal_client,cold,warm] [--results DIRECTORY]

Measure the service and its peers, print the table, and write `latest.json`, `details.json` and the measured part of
docs/performance.md. With `--only`, the figures of the other steps keep their last values. A quick run takes too few
samples to be a result, so it writes to `benchmarks/.cache/quick`.
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

from benchmarks import cold, document, journal_client, programs, round_trips, size, tables, warm
from benchmarks.endpoints import stub_endpoints
from benchmarks.figures import Samples
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = ("size", "round_trips", "journal_client", "cold", "warm")
RESULTS = document.RESULTS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="take a few samples only, to check that every step runs"
    )
    parser.add_argument(
        "--only", type=_parse_steps, default=STEPS, help=f"steps to run, of {','.join(STEPS)}"
    )
    parser.add_argument("--results", type=Path, help="directory for the results")
    options = parser.parse_args(arguments)
    if reason := emulator.missing():
        print(reason, file=sys.stderr)
        return 1
    samples, details = run(options.only, quick=options.quick)
    write(samples, details, options.results or (programs.CACHE / "quick" if options.quick else RESULTS))
    return 0


def _parse_steps(text: str) -> list[str]:
    """Return the steps that a command line names, in the order in which they run. Raise ArgumentTypeError for others."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(STEPS):
        raise argparse.ArgumentTypeError(f"no such step: {', '.join(sorted(unknown))}")
    return [step for step in STEPS if step in wanted]


def run(steps: Sequence[str], *, quick: bool) -> tuple[Samples, dict[str, Any]]:
    """Run `steps`, and print the progress on standard error."""
    began = time.monotonic()
    samples = Samples()
    details: dict[str, Any] = {"run": _machine()}

    def progress(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    progress("building and installing")
    all_programs = programs.prepare()
    service = all_programs[0]
    with stub_endpoints() as endpoints:
        for step in steps:
            progress(step)
            match step:
                case "size":
                    size.measure(all_programs, samples)
                case "round_trips":
                    details["round_trips"] = round_trips.measure(all_programs, endpoints, samples)
                case "journal_client":
                    runs, calls = (1, 10) if quick else (5, 1000)
                    details["journal_client"] = journal_client.measure(service, endpoints, runs, calls)
                case "cold":
                    cold.measure(all_programs, endpoints, samples, runs=1 if quick else 20)
                case "warm":
                    rounds, requests = (2, 10) if quick else (10, 1000)
                    warm.measure(all_programs, endpoints, samples, rounds, requests)
    progress("done")
    return samples, details


def write(samples: Samples, details: dict[str, Any], results: Path) -> None:
    """Print the table and write the results; figures and details that were not measured keep their last values."""
    results.mkdir(parents=True, exist_ok=True)
    figures = _merge(results / "latest.json", samples.figures())
    _merge(results / "details.json", details)
    print(tables.plain(tables.compare(figures)))
    if results == RESULTS:
        document.write()


def _merge(path: Path, new: dict[str, Any]) -> dict[str, Any]:
    old: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    merged = old | new
    path.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return merged


def _machine() -> dict[str, Any]:
    """Return the date, and a description of the machine that measures."""
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

"""Run one storm and print its summary: `python -m tests.chaos` (make chaos).

The exit status is 1 if a charge was started twice or an attempt was lost, and 2 if the artefact cannot run here.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import sections
from tests.chaos.clients import make_orders, send_all
from tests.chaos.harness import UNUSUAL_REACTIONS, make_behaviours, run_harness
from tests.chaos.judge import Verdict, judge
from tests.chaos.storm import Storm
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers import Reaction

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
_RETRY_ROUNDS = 5  # after the storm; each begins when all leases have expired
# The rounds that include attempts whose OCPP server record is only "sent": a retry cannot resolve them.
_ROUNDS_FOR_SENT = 2
# Maximum duration of the storm for each attempt. The remaining attempts run without faults.
_STORM_SECONDS = 0.3


def run(
    seed: int,
    attempts: int,
    chargers: int = 24,
    runtimes: int = 6,
    unusual: Sequence[Reaction] = UNUSUAL_REACTIONS,
) -> tuple[Verdict, dict[str, int]]:
    """Run one storm; return the verdict, and the number of attempts, of requests and of each fault."""
    rng = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as directory,
        run_harness(Path(directory), make_behaviours(chargers, unusual, rng), runtimes) as harness,
    ):
        orders = make_orders(attempts, sorted(harness.chargers), rng)
        with Storm(harness, random.Random(rng.random()), seconds=_STORM_SECONDS * attempts) as storm:
            send_all(orders, harness)
        for number in range(_RETRY_ROUNDS):
            unanswered = [
                order
                for order in orders
                if not order.is_answered
                and (number < _ROUNDS_FOR_SENT or harness.read_record(order.id) != "sent")
            ]
            if unanswered:
                harness.wait_for_leases()
                send_all(unanswered, harness, tries=1)
        faults = dict(sorted(storm.faults.items()))
        requests = sum(len(order.responses) for order in orders)
        return judge(orders, harness), {"attempts": attempts, "requests": requests, **faults}


def summarize(verdict: Verdict, counts: dict[str, int]) -> str:
    """Return the summary line of a storm."""
    kills = counts.get("runtime killed", 0) + counts.get("server killed", 0)
    return (
        f"attempts {counts['attempts']} kills {kills} starts {verdict.starts} "
        f"doubles {len(verdict.doubles)} lost {len(verdict.lost)} unknown {len(verdict.unknown)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--seed",
        type=int,
        default=os.environ.get("SEED") or "1",
        help="seed of the random sequence (or SEED)",
    )
    parser.add_argument(
        "--attempts",
        type=int,
        default=os.environ.get("ATTEMPTS") or "300",
        help="number of attempts (or ATTEMPTS)",
    )
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    options = parser.parse_args()
    if reason := emulator.missing():
        print(f"The chaos tests need the built artefact: {reason}", file=sys.stderr)
        return 2
    emulator.build()
    logging.getLogger("local.gateway").setLevel(logging.CRITICAL)  # it logs every terminated sandbox
    began = time.monotonic()
    verdict, counts = run(options.seed, options.attempts)
    seconds = round(time.monotonic() - began)
    for title, lines in (("double", verdict.doubles), ("lost", verdict.lost), ("unknown", verdict.unknown)):
        for line in lines:
            print(f"{title}: {line}")
    if options.write:
        _write_figures(options.seed, seconds, verdict, counts)
    print(summarize(verdict, counts))
    return 1 if verdict.doubles or verdict.lost else 0


def _write_figures(seed: int, seconds: int, verdict: Verdict, counts: dict[str, int]) -> None:
    rows = {
        "seed": seed,
        "seconds": seconds,
        **counts,
        "starts received by charge points": verdict.starts,
        **{f"attempts {state}": number for state, number in sorted(verdict.states.items())},
        "**doubles**": len(verdict.doubles),
        "**lost**": len(verdict.lost),
        "unknown": len(verdict.unknown),
    }
    table = "\n".join(
        ["| | |", "| --- | ---: |", *(f"| {name} | {value:,} |" for name, value in rows.items())]
    )
    sections.write(DOCUMENT, "chaos", table)


if __name__ == "__main__":
    sys.exit(main())

"""Run one storm and print its summary: `python -m tests.chaos` (make chaos).

The exit status is 1 if a charge was started twice, an attempt was lost, or the sweeps missed a charge that they can find, and 2
if the artefact cannot run here.
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

from local.dialects import NATIVE
from tests.chaos import figures
from tests.chaos.clients import make_orders, send_all
from tests.chaos.harness import UNUSUAL_REACTIONS, make_behaviours, run_harness
from tests.chaos.judge import Verdict, judge
from tests.chaos.servers import DIALECTS
from tests.chaos.storm import Storm
from tests.chaos.sweeps import Sweeper, sweep_to_the_end
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers import Reaction

_RETRY_ROUNDS = 5  # after the storm; each begins when all leases have expired
# The rounds that include attempts for which the OCPP server sends no second start.
_ROUNDS_FOR_SENT = 2
# Maximum duration of the storm for each attempt. The remaining attempts run without faults.
_STORM_SECONDS = 0.3


def run(
    seed: int,
    attempts: int,
    dialect: str = NATIVE,
    chargers: int = 24,
    runtimes: int = 6,
    unusual: Sequence[Reaction] = UNUSUAL_REACTIONS,
) -> tuple[Verdict, dict[str, int]]:
    """Run one storm; return the verdict, and the number of attempts, of requests, of each fault, and of what the sweeps found."""
    rng = random.Random(seed)
    versions = ("1.6",) if dialect == "steve" else ("1.6", "2.0.1")
    behaviours = make_behaviours(chargers, unusual, versions, rng)
    with (
        tempfile.TemporaryDirectory() as directory,
        run_harness(Path(directory), dialect, behaviours, runtimes) as harness,
    ):
        orders = make_orders(attempts, sorted(harness.chargers), rng)
        with (
            Storm(harness, random.Random(rng.random()), seconds=_STORM_SECONDS * attempts) as storm,
            Sweeper(harness),
        ):
            send_all(orders, harness)
        for number in range(_RETRY_ROUNDS):
            unanswered = [
                order
                for order in orders
                if not order.is_answered
                and (number < _ROUNDS_FOR_SENT or harness.server.can_answer_repeat(order.id))
            ]
            if unanswered:
                harness.wait_for_leases()
                send_all(unanswered, harness, tries=1)
        harness.wait_for_reports()
        found = sweep_to_the_end(harness)
        faults = dict(sorted(storm.faults.items()))
        requests = sum(len(order.responses) for order in orders)
        counts = {"attempts": attempts, "requests": requests, **faults, "found": found}
        return judge(orders, harness.read_evidence()), counts


def summarize(verdict: Verdict, counts: dict[str, int]) -> str:
    """Return the summary line of a storm."""
    kills = counts.get("runtime killed", 0) + counts.get("server killed", 0)
    return (
        f"attempts {counts['attempts']} kills {kills} starts {verdict.starts} "
        f"doubles {len(verdict.doubles)} lost {len(verdict.lost)} unknown {len(verdict.unknown)} "
        f"found {counts['found']} missed {len(verdict.missed)}"
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
    parser.add_argument(
        "--dialect",
        choices=DIALECTS,
        default=os.environ.get("DIALECT") or NATIVE,
        help="the OCPP server: the native one, or a simulator (or DIALECT)",
    )
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    options = parser.parse_args()
    if reason := emulator.missing():
        print(f"The chaos tests need the built artefact: {reason}", file=sys.stderr)
        return 2
    emulator.build()
    logging.getLogger("local.gateway").setLevel(logging.CRITICAL)  # it logs every terminated sandbox
    began = time.monotonic()
    verdict, counts = run(options.seed, options.attempts, options.dialect)
    seconds = round(time.monotonic() - began)
    for title, lines in (
        ("double", verdict.doubles),
        ("lost", verdict.lost),
        ("unknown", verdict.unknown),
        ("missed", verdict.missed),
    ):
        for line in lines:
            print(f"{title}: {line}")
    if options.write:
        figures.write(options.dialect, _figures(options.seed, seconds, verdict, counts))
    print(summarize(verdict, counts))
    # CitrineOS cannot search its records by what a start knows.
    missed = [] if options.dialect == "citrineos" else verdict.missed
    return 1 if verdict.doubles or verdict.lost or missed else 0


def _figures(seed: int, seconds: int, verdict: Verdict, counts: dict[str, int]) -> dict[str, int]:
    counts = dict(counts)
    found = counts.pop("found")
    return {
        "seed": seed,
        "seconds": seconds,
        **counts,
        "starts received by charge points": verdict.starts,
        **{f"attempts {state}": number for state, number in sorted(verdict.states.items())},
        "**doubles**": len(verdict.doubles),
        "**lost**": len(verdict.lost),
        "unknown": len(verdict.unknown),
        "found by the sweeps at the end": found,
        "**missed**": len(verdict.missed),
    }


if __name__ == "__main__":
    sys.exit(main())

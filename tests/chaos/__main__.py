"""`python -m tests.chaos` (make chaos): a storm, and its one line. Not 0 where a charge was started twice or an attempt lost."""

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
from tests.chaos.clients import carry_out, orders
from tests.chaos.harness import ODD, behaviours, staging
from tests.chaos.judge import Verdict, judge
from tests.chaos.storm import Storm
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers import Reaction

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
_ROUNDS = 5  # of asking again after the storm, each when every lease is over
_UNKNOWN_ROUNDS = 2  # in which those too are asked about that the OCPP server knows only to have sent
_STORM = 0.3  # seconds for each attempt, at most; what is left then is carried out in calm


def run(
    seed: int, attempts: int, chargers: int = 24, runtimes: int = 6, odd: Sequence[Reaction] = ODD
) -> tuple[Verdict, dict[str, int]]:
    """One storm: the verdict, and how often each thing happened."""
    draw = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as directory,
        staging(Path(directory), behaviours(chargers, odd, draw), runtimes) as stage,
    ):
        given = orders(attempts, sorted(stage.chargers), draw)
        with Storm(stage, random.Random(draw.random()), seconds=_STORM * attempts) as storm:
            carry_out(given, stage)
        for number in range(_ROUNDS):
            waiting = [
                order
                for order in given
                if not order.done and (number < _UNKNOWN_ROUNDS or stage.record(order.id) != "sent")
            ]
            if waiting:
                stage.outlive_leases()
                carry_out(waiting, stage, tries=1)
        strikes = dict(sorted(storm.strikes.items()))
        requests = sum(len(order.heard) for order in given)
        return judge(given, stage), {"attempts": attempts, "requests": requests, **strikes}


def told(verdict: Verdict, counts: dict[str, int]) -> str:
    """The one line."""
    kills = counts.get("runtime killed", 0) + counts.get("server killed", 0)
    return (
        f"attempts {counts['attempts']} kills {kills} starts {verdict.starts} "
        f"doubles {len(verdict.doubles)} lost {len(verdict.lost)} unknown {len(verdict.unknown)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=os.environ.get("SEED") or "1", help="or SEED")
    parser.add_argument(
        "--attempts", type=int, default=os.environ.get("ATTEMPTS") or "300", help="or ATTEMPTS"
    )
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args()
    if why := emulator.missing():
        print(f"chaos needs the built artefact: {why}", file=sys.stderr)
        return 2
    emulator.build()
    logging.getLogger("local.gateway").setLevel(logging.CRITICAL)  # it tells of every sandbox that died
    began = time.monotonic()
    verdict, counts = run(options.seed, options.attempts)
    seconds = round(time.monotonic() - began)
    for title, lines in (("double", verdict.doubles), ("lost", verdict.lost), ("unknown", verdict.unknown)):
        for line in lines:
            print(f"{title}: {line}")
    if options.write:
        _write(options.seed, seconds, verdict, counts)
    print(told(verdict, counts))
    return 1 if verdict.doubles or verdict.lost else 0


def _write(seed: int, seconds: int, verdict: Verdict, counts: dict[str, int]) -> None:
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

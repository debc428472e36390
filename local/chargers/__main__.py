"""`python -m local.chargers`: run the charge points as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local.chargers.behaviours import unusual, usual
from local.chargers.fleet import charging
from local.chargers.snapshot import set_behaviour, take_snapshot
from local.control import controlled
from local.running import wait_for_signal

if TYPE_CHECKING:
    from local.chargers.behaviours import Behaviour


def main() -> int:
    """Run until SIGINT or SIGTERM. Return 0, or 1 if the journal cannot be opened or an identity is unknown."""
    parser = argparse.ArgumentParser(prog="python -m local.chargers", description=__doc__)
    parser.add_argument("--server", default="ws://127.0.0.1:9081/ocpp", help="the OCPP server's URL")
    parser.add_argument("--all", action="store_true", help="run CP-6 to CP-10 too")
    parser.add_argument("--ocpp-version", choices=["1.6", "2.0.1"], help="one OCPP version for all of them")
    parser.add_argument("--only", default="", help="identities of those to run, separated by commas")
    parser.add_argument("--charge-seconds", type=float, help="duration of a charge")
    parser.add_argument("--journal", type=Path, help="file to which each received start is appended")
    parser.add_argument("--control", type=int, help="open file of the control channel")
    arguments = parser.parse_args()
    behaviours = usual() + (unusual() if arguments.all or arguments.only else [])
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = set(wanted) - {behaviour.identity for behaviour in behaviours}
        if unknown:
            print(f"local.chargers: unknown charge point: {', '.join(sorted(unknown))}", file=sys.stderr)
            return 1
        behaviours = [behaviour for behaviour in behaviours if behaviour.identity in wanted]
    if arguments.charge_seconds is not None:
        for behaviour in behaviours:
            behaviour.charge_seconds = arguments.charge_seconds
    if arguments.ocpp_version:
        for behaviour in behaviours:
            behaviour.version = arguments.ocpp_version
    try:
        asyncio.run(_run(behaviours, arguments))
    except OSError as error:
        print(f"local.chargers: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(behaviours: list[Behaviour], arguments: argparse.Namespace) -> None:
    async with (
        charging(behaviours, arguments.server, arguments.journal) as charge_points,
        controlled(
            arguments.control,
            lambda: take_snapshot(charge_points.values()),
            partial(set_behaviour, charge_points),
        ),
    ):
        print(f"charge points ready: {' '.join(charge_points)}", flush=True)
        await wait_for_signal()


if __name__ == "__main__":
    sys.exit(main())

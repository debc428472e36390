"""`python -m local.chargers`: charge points as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local.chargers import live
from local.chargers.behaviours import unusual, usual
from local.chargers.fleet import charging
from local.control import steered
from local.running import until_told_to_end

if TYPE_CHECKING:
    from local.chargers.behaviours import Behaviour


def main() -> int:
    """Runs until SIGINT or SIGTERM. 0, or 1 where the journal cannot be opened or an identity is not known."""
    parser = argparse.ArgumentParser(prog="python -m local.chargers", description=__doc__)
    parser.add_argument("--server", default="ws://127.0.0.1:9081/ocpp", help="the OCPP server's URL")
    parser.add_argument("--all", action="store_true", help="CP-6 to CP-10 too")
    parser.add_argument("--speak", choices=["1.6", "2.0.1"], help="the OCPP version of all, not each its own")
    parser.add_argument("--only", default="", help="identities, by comma")
    parser.add_argument("--charge-seconds", type=float, help="the length of a charge")
    parser.add_argument("--journal", type=Path, help="file to which each start received is appended")
    parser.add_argument("--control", type=int, help="an open file to be watched and steered by")
    arguments = parser.parse_args()
    behaviours = usual() + (unusual() if arguments.all or arguments.only else [])
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = set(wanted) - {behaviour.identity for behaviour in behaviours}
        if unknown:
            print(f"local.chargers: no such charge point: {', '.join(sorted(unknown))}", file=sys.stderr)
            return 1
        behaviours = [behaviour for behaviour in behaviours if behaviour.identity in wanted]
    if arguments.charge_seconds is not None:
        for behaviour in behaviours:
            behaviour.charge_seconds = arguments.charge_seconds
    if arguments.speak:
        for behaviour in behaviours:
            behaviour.version = arguments.speak
    try:
        asyncio.run(_run(behaviours, arguments))
    except OSError as error:
        print(f"local.chargers: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(behaviours: list[Behaviour], arguments: argparse.Namespace) -> None:
    async with (
        charging(behaviours, arguments.server, arguments.journal) as chargers,
        steered(arguments.control, lambda: live.shown(chargers.values()), partial(live.obey, chargers)),
    ):
        print(f"charge points ready: {' '.join(chargers)}", flush=True)
        await until_told_to_end()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m local.standins NAME`: a stand-in as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from local.chargers.behaviours import unusual, usual
from local.faces import PortTaken
from local.running import until_told_to_end
from local.standins import CitrineOS, OcppCore, OcppCs, Steve, keeping, playing

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from local.standins import StandIn


def main() -> int:
    """Serves until SIGINT or SIGTERM. 0, or 1 where a port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m local.standins", description=__doc__)
    parser.add_argument("model", choices=["steve", "citrineos", "ocpp-core", "ocpp-cs", "ocpp-cs-2"])
    parser.add_argument("--rest-port", type=int, default=9080, help="0: any free port, printed")
    parser.add_argument("--ocpp-port", type=int, default=9081, help="where charge points connect")
    parser.add_argument("--all", action="store_true", help="CP-6 to CP-10 too, where they are played")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments))
    except PortTaken as error:
        print(f"local.standins: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    async with _standin(arguments) as standin:
        print(f"stand-in ready: REST {standin.url} OCPP {standin.ocpp_url or 'played'}", flush=True)
        await until_told_to_end()


def _standin(arguments: argparse.Namespace) -> AbstractAsyncContextManager[StandIn]:
    behaviours = usual() + (unusual() if arguments.all else [])
    match arguments.model:
        case "steve":
            return playing(Steve(behaviours), arguments.rest_port)
        case "ocpp-core":
            return playing(OcppCore(behaviours), arguments.rest_port)
        case "citrineos":
            citrineos = CitrineOS()
            return keeping(citrineos, citrineos.chargers, arguments.rest_port, arguments.ocpp_port)
        case _:
            ocpp_cs = OcppCs(2 if arguments.model == "ocpp-cs-2" else 1)
            return keeping(ocpp_cs, ocpp_cs.chargers, arguments.rest_port, arguments.ocpp_port)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m local.simulators NAME`: run a simulator as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from local.dialects import SIMULATED, models
from local.listeners import PortTaken
from local.running import wait_for_signal
from local.simulators.serving import serving_simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.simulators.serving import Model


def main() -> int:
    """Serve until SIGINT or SIGTERM. Return 0, or 1 if a port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators", description=__doc__)
    offered = {name: model for dialect in SIMULATED for name, model in models(dialect).items()}
    parser.add_argument("model", choices=offered)
    parser.add_argument("--rest-port", type=int, default=9080, help="0: any free port, printed")
    parser.add_argument("--ocpp-port", type=int, default=9081, help="0: any free port, printed")
    parser.add_argument(
        "--extra-hosts", default="", help="further addresses to listen on, separated by commas"
    )
    arguments = parser.parse_args()
    extra_hosts = tuple(filter(None, arguments.extra_hosts.split(",")))
    try:
        asyncio.run(_serve(offered[arguments.model](), arguments.rest_port, arguments.ocpp_port, extra_hosts))
    except PortTaken as error:
        print(f"local.simulators: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(model: Model, rest_port: int, ocpp_port: int, extra_hosts: Sequence[str]) -> None:
    async with serving_simulator(model, rest_port, ocpp_port, extra_hosts) as simulator:
        print(f"simulator ready: REST {simulator.url} OCPP {simulator.ocpp_url}", flush=True)
        await wait_for_signal()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m local.simulators NAME`: a stand-in as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from local.dialects import SIMULATED, simulator
from local.listeners import PortTaken
from local.running import until_told_to_end
from local.simulators import keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.simulators.serving import Model


def models() -> dict[str, Callable[[], Model]]:
    """Return what each simulator of the registry offers, by name."""
    return {name: model for dialect in SIMULATED for name, model in simulator(dialect).MODELS.items()}


def main() -> int:
    """Serves until SIGINT or SIGTERM. 0, or 1 where a port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators", description=__doc__)
    offered = models()
    parser.add_argument("model", choices=offered)
    parser.add_argument("--rest-port", type=int, default=9080, help="0: any free port, printed")
    parser.add_argument("--ocpp-port", type=int, default=9081, help="0: any free port, printed")
    parser.add_argument("--extra-hosts", default="", help="addresses, by comma, to listen on too")
    arguments = parser.parse_args()
    extra_hosts = tuple(filter(None, arguments.extra_hosts.split(",")))
    try:
        asyncio.run(_serve(offered[arguments.model](), arguments.rest_port, arguments.ocpp_port, extra_hosts))
    except PortTaken as error:
        print(f"local.simulators: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(model: Model, rest_port: int, ocpp_port: int, extra_hosts: Sequence[str]) -> None:
    async with keeping(model, rest_port, ocpp_port, extra_hosts) as standin:
        print(f"stand-in ready: REST {standin.url} OCPP {standin.ocpp_url}", flush=True)
        await until_told_to_end()


if __name__ == "__main__":
    sys.exit(main())

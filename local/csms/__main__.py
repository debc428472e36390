"""`python -m local.csms`: the OCPP server as a process."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys

from local.csms.server import Options, serving
from local.listeners import PortTaken
from local.running import until_told_to_end


def main() -> int:
    """Serves until SIGINT or SIGTERM. 0, or 1 where a port or the database cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m local.csms", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--extra-hosts", default="", help="addresses, by comma, to listen on too")
    parser.add_argument("--rest-port", type=int, default=9080, help="0: any free port, printed")
    parser.add_argument("--ocpp-port", type=int, default=9081, help="0: any free port, printed")
    parser.add_argument(
        "--database", default=":memory:", help="SQLite file; without one, ids die with the process"
    )
    parser.add_argument(
        "--known", default="", help="identities of chargers, by comma, known before they connect"
    )
    parser.add_argument(
        "--allowed-hosts", default="", help="names for the Host header beside loopback's and --host, by comma"
    )
    parser.add_argument("--authorization", help="the value that the Authorization header must have")
    parser.add_argument("--ping-window", type=float, default=20.0, help="seconds")
    parser.add_argument(
        "--call-timeout", type=float, default=30.0, help="seconds until a silent charger is asked more"
    )
    arguments = vars(parser.parse_args())
    for name in ("known", "extra_hosts", "allowed_hosts"):
        arguments[name] = tuple(filter(None, arguments[name].split(",")))
    try:
        asyncio.run(_serve(Options(**arguments)))
    except (PortTaken, sqlite3.Error) as error:
        print(f"local.csms: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: Options) -> None:
    async with serving(options) as csms:
        print(f"OCPP server ready: REST {csms.rest_url} OCPP {csms.ocpp_url}", flush=True)
        await until_told_to_end()


if __name__ == "__main__":
    sys.exit(main())

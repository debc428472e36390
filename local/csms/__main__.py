"""`python -m local.csms`: run the OCPP server as a process."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys

from local.csms.server import Options, serving
from local.listeners import PortTaken
from local.running import wait_for_signal


def main() -> int:
    """Serve until SIGINT or SIGTERM. Return 0, or 1 if a port or the database cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local.csms", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--extra-hosts", default="", help="further addresses to listen on, separated by commas"
    )
    parser.add_argument("--rest-port", type=int, default=9080, help="0: any free port, printed")
    parser.add_argument("--ocpp-port", type=int, default=9081, help="0: any free port, printed")
    parser.add_argument(
        "--database", default=":memory:", help="SQLite file; without one, ids are lost when the process ends"
    )
    parser.add_argument(
        "--known", default="", help="identities of chargers known before they connect, separated by commas"
    )
    parser.add_argument(
        "--allowed-hosts", default="", help="further names allowed in the Host header, separated by commas"
    )
    parser.add_argument("--authorization", help="required value of the Authorization header")
    parser.add_argument("--ping-window", type=float, default=20.0, help="seconds in which a pong must arrive")
    parser.add_argument(
        "--call-timeout",
        type=float,
        default=30.0,
        help="seconds until the next call to a charger that has not answered",
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
        await wait_for_signal()


if __name__ == "__main__":
    sys.exit(main())

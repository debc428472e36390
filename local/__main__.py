"""`python -m local` (make run): the whole service on this machine.

The gateway with the real handlers and the table in this process; the OCPP server and the charge points in processes of
their own, so that each can be killed. One that ends is reported and started again after a few seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from local import dialects, docs, template
from local.chargers.behaviours import unusual, usual
from local.children import Child
from local.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.chargers.behaviours import Behaviour

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
TABLE_NAME = "attempts"
READY_SECONDS = 30.0
PATH = "/api/v1/ocpp/charger-connect"

JOURNAL_SECRET = "only-for-the-local-stack"  # noqa: S105 (its journal ends with it)
LINK_SERVERS = [
    {"network": "127.0.0.0/8", "ports": ["1024-65535"], "dialect": dialects.NATIVE, "scheme": "http"}
]


class CannotStart(Exception):
    """Something the stack needs is not to be had; the text is for whoever started it."""


def main() -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP. 0, or 1 where the stack cannot start."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            # A second Ctrl-C must not leave half of it running.
            stack.callback(_heed_no_signal)
            _start(options, stack)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    environ = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=environ("PORT", "8000"), help="the gateway's (or PORT)")
    parser.add_argument("--table-port", type=int, default=environ("TABLE_PORT", "8001"), help="or TABLE_PORT")
    parser.add_argument(
        "--rest-port",
        type=int,
        default=environ("REST_PORT", "9080"),
        help="the OCPP server's REST API (or REST_PORT)",
    )
    parser.add_argument(
        "--ocpp-port",
        type=int,
        default=environ("OCPP_PORT", "9081"),
        help="the OCPP server's WebSocket (or OCPP_PORT)",
    )
    parser.add_argument(
        "--chargers",
        type=_which,
        default=environ("CHARGERS", ""),
        help="all: CP-6 to CP-10 too (or CHARGERS)",
    )
    parser.add_argument(
        "--dialect",
        type=dialects.read,
        default=environ("DIALECT", dialects.NATIVE),
        help="the OCPP server is a stand-in: steve, citrineos, ocpp_core, ocpp_cs (or DIALECT)",
    )
    parser.add_argument(
        "--link-servers",
        default=environ("LINK_SERVERS", ""),
        help="LinkServers in JSON, to call an OCPP server of your own in the place of the local one (or LINK_SERVERS)",
    )
    parser.add_argument(
        "--link-timeout",
        type=float,
        default=environ("LINK_TIMEOUT", "20"),
        help="seconds that the OCPP server may take (or LINK_TIMEOUT)",
    )
    return parser.parse_args()


def _which(text: str) -> str:
    if text not in ("", "all"):
        raise argparse.ArgumentTypeError(f"{text!r} is not all")
    return text


def _start(options: argparse.Namespace, stack: ExitStack) -> None:
    _need_free_ports(
        {
            "PORT": options.port,
            "TABLE_PORT": options.table_port,
            "REST_PORT": options.rest_port,
            "OCPP_PORT": options.ocpp_port,
        }
    )
    behaviours = usual() + (unusual() if options.chargers else [])
    console = Console()
    csms, chargers = _start_ocpp(options, behaviours, console, stack)
    url = _start_functions(options, console, (csms, chargers), stack)
    _wait_for_chargers(options, behaviours, [csms, chargers])
    print(_welcome(url + PATH, options.rest_port, behaviours, csms, chargers), flush=True)


def _start_ocpp(
    options: argparse.Namespace, behaviours: Sequence[Behaviour], console: Console, stack: ExitStack
) -> tuple[Child, Child]:
    def say(text: str) -> None:
        print(text, flush=True)
        console.say(text)

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="charger-connect-"))
    known = [behaviour.identity for behaviour in behaviours]
    module, arguments = dialects.server(
        options.dialect, options.rest_port, options.ocpp_port, f"{folder}/csms.sqlite", known
    )
    csms = Child("the OCPP server", module, arguments, say)
    stack.callback(csms.stop)
    chargers = Child(
        "the charge points",
        "local.chargers",
        [
            *dialects.charge_points(options.dialect, options.ocpp_port),
            *(["--all"] if options.chargers else []),
        ],
        say,
        console.hear,
    )
    stack.callback(chargers.stop)
    return csms, chargers


def _start_functions(
    options: argparse.Namespace, console: Console, children: tuple[Child, Child], stack: ExitStack
) -> str:
    # Imported late: moto takes a second, which the OCPP server uses to start.
    from local.gateway import serve
    from local.invokers import in_process, load_handlers
    from local.table import start_table

    read = template.read()
    table = stack.enter_context(closing(start_table(port=options.table_port, name=TABLE_NAME)))
    for function in read.functions.values():
        os.environ.update(function.environment)
    os.environ.update(table.environment())
    own = [entry | {"dialect": options.dialect} for entry in LINK_SERVERS]
    os.environ["LINK_SERVERS"] = options.link_servers or json.dumps(own)
    os.environ["CALLBACK_BASE_URL"] = f"http://{HOST}:{options.port}"
    os.environ["LINK_TIMEOUT"] = f"{options.link_timeout:g}"
    os.environ["JOURNAL_SECRET"] = JOURNAL_SECRET
    for foreign in ("AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        os.environ.pop(foreign, None)
    sys.path[:0] = [str(ROOT / code) for code in ("functions", "layers/common", "layers/charger_link")]
    routed = {route.function: read.functions[route.function] for route in read.routes}
    invoke = in_process(load_handlers(routed))
    table.on_applied = console.wrote
    about = {"dialect": options.dialect, "serverIpAddress": HOST, "serverRestApiPort": options.rest_port}
    pages = console.pages(*children, about) | docs.pages(options.rest_port)
    # Closed before the server: its streams end by themselves.
    server = stack.enter_context(closing(serve(read.routes, invoke, port=options.port, pages=pages)))
    stack.callback(console.close)
    return server.url


def _need_free_ports(ports: Mapping[str, int]) -> None:
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError) as error:
                raise CannotStart(
                    f"port {port} of {HOST} cannot be had ({error}); {name} chooses another"
                ) from None


def _wait_for_chargers(
    options: argparse.Namespace, behaviours: Sequence[Behaviour], children: Sequence[Child]
) -> None:
    missing = [behaviour.identity for behaviour in behaviours if behaviour.online]
    until = time.monotonic() + READY_SECONDS
    while missing := [
        identity
        for identity in missing
        if not dialects.is_connected(options.dialect, options.rest_port, identity)
    ]:
        for child in children:
            if not child.running:
                raise CannotStart(f"{child.title} ended at once")
        if time.monotonic() > until:
            raise CannotStart(f"not connected after {READY_SECONDS:g} s: {', '.join(missing)}")
        time.sleep(0.1)


def _welcome(url: str, rest_port: int, behaviours: Sequence[Behaviour], csms: Child, chargers: Child) -> str:
    request = {
        "id": str(uuid4()),
        "chargerId": "CP-1",
        "tokenId": "DE8AA12345",
        "serverIpAddress": HOST,
        "serverRestApiPort": rest_port,
    }
    return f"""
ready: {url}
console: {url.removesuffix(PATH)}/

  curl -i {url} -H 'Content-Type: application/json' \\
    -d '{json.dumps(request)}'
  curl -i {url}/{request["id"]}

Charge points {behaviours[0].identity} to {behaviours[-1].identity}. To see a failure, kill the OCPP server
(kill -9 {csms.pid}) or the charge points (kill -9 {chargers.pid}): they come back. Ctrl-C ends everything.
"""


def _heed_no_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())

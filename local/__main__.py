"""`python -m local` (make run): the whole service on this machine.

The gateway with the real handlers and the table in this process; the OCPP server and the charge points in processes of
their own, so that each can be killed. One that ends is reported and started again after a few seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from local import bridge, dialects, docs, sam_local, template
from local.chargers.behaviours import unusual, usual
from local.console import Console
from local.example import ExampleServer, choose
from local.processes import Child
from scripts.import_roots import import_roots

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
    """Serve until SIGINT, SIGTERM, SIGHUP or the end of the terminal. 0, or 1 where the stack cannot start."""
    options = _options()
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            # A second Ctrl-C must not leave half of it running.
            stack.callback(_heed_no_signal)
            _start(options, stack)
            _wait_for_end(at_terminal)
    except KeyboardInterrupt:
        pass
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    def environ(name: str, default: str) -> str:
        return os.environ.get(name) or default

    def add_port(option: str, variable: str, default: str, whose: str) -> None:
        parser.add_argument(
            option, type=_port, default=environ(variable, default), help=f"{whose} (or {variable})"
        )

    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    add_port("--port", "PORT", "8000", "the gateway's")
    add_port("--table-port", "TABLE_PORT", "8001", "the table's")
    add_port("--rest-port", "REST_PORT", "9080", "the OCPP server's REST API")
    add_port("--ocpp-port", "OCPP_PORT", "9081", "the OCPP server's WebSocket")
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
    parser.add_argument(
        "--sam-local",
        type=_switch,
        default=environ("SAM_LOCAL", ""),
        help="1: table and OCPP server listen on the address of Docker's bridge too, for make invoke (or SAM_LOCAL)",
    )
    parser.add_argument(
        "--callback-base-url",
        default=environ("CALLBACK_BASE_URL", ""),
        help="where a CitrineOS of your own reaches the gateway, if not on this machine (or CALLBACK_BASE_URL)",
    )
    return parser.parse_args()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port (1 to 65535)")
    return int(text)


def _which(text: str) -> str:
    if text not in ("", "all"):
        raise argparse.ArgumentTypeError(f"{text!r} is not all")
    return text


def _switch(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"


def _start(options: argparse.Namespace, stack: ExitStack) -> None:
    # What containers reach; nothing else of this machine's network does.
    options.extra_hosts = [_bridge_address()] if options.sam_local else []
    reachable = {
        "TABLE_PORT": options.table_port,
        "REST_PORT": options.rest_port,
        "OCPP_PORT": options.ocpp_port,
    }
    _need_free_ports({"PORT": options.port} | reachable)
    for host in options.extra_hosts:
        _need_free_ports(reachable, host)
    behaviours = usual() + (unusual() if options.chargers else [])
    console = Console()
    csms, chargers = _start_ocpp(options, behaviours, console, stack)
    url, server = _start_functions(options, console, (csms, chargers), stack)
    _wait_for_chargers(options, behaviours, [csms, chargers])
    for host in options.extra_hosts:
        stack.enter_context(sam_local.published(_stack_at(host, options)))
    print(_welcome(url + PATH, server, behaviours, csms, chargers), flush=True)
    if options.link_servers:
        print(_about_link_servers(server, options.rest_port), flush=True)
    for host in options.extra_hosts:
        print(_sam_local_hint(host, own_servers=bool(options.link_servers)), flush=True)


def _start_ocpp(
    options: argparse.Namespace, behaviours: Sequence[Behaviour], console: Console, stack: ExitStack
) -> tuple[Child, Child]:
    def say(text: str) -> None:
        print(text, flush=True)
        console.say(text)

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="charger-connect-"))
    known = [behaviour.identity for behaviour in behaviours]
    module, arguments = dialects.server(
        options.dialect,
        options.rest_port,
        options.ocpp_port,
        f"{folder}/csms.sqlite",
        known,
        options.extra_hosts,
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
) -> tuple[str, ExampleServer]:
    # Imported late: moto takes a second, which the OCPP server uses to start.
    from local.gateway import serve
    from local.invokers import in_process, load_handlers
    from local.table import start_table

    read = template.read()
    table = stack.enter_context(
        closing(start_table(port=options.table_port, name=TABLE_NAME, extra_hosts=options.extra_hosts))
    )
    for function in read.functions.values():
        os.environ.update(function.environment)
    os.environ.update(table.environment())
    networks = [LINK_SERVERS[0]["network"], *(f"{host}/32" for host in options.extra_hosts)]
    own = [LINK_SERVERS[0] | {"network": network, "dialect": options.dialect} for network in networks]
    os.environ["LINK_SERVERS"] = options.link_servers or json.dumps(own)
    os.environ["CALLBACK_BASE_URL"] = options.callback_base_url or f"http://{HOST}:{options.port}"
    os.environ["LINK_TIMEOUT"] = f"{options.link_timeout:g}"
    os.environ["JOURNAL_SECRET"] = JOURNAL_SECRET
    for foreign in ("AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        os.environ.pop(foreign, None)
    sys.path[:0] = [str(root) for root in import_roots()]
    from charger_link.servers import LinkServersError
    from common.settings import SettingsError
    from common.settings.connect import ConnectSettings

    routed = {route.function: read.functions[route.function] for route in read.routes}
    try:
        handlers = load_handlers(routed)
        link_servers = ConnectSettings.read(os.environ).link_servers_json()
        example = choose(link_servers, ExampleServer(HOST, options.rest_port, options.dialect, allowed=True))
    except (SettingsError, LinkServersError) as error:
        raise CannotStart(error) from None
    invoke = in_process(handlers)
    table.on_applied = console.wrote
    about = {
        "dialect": options.dialect,
        "serverIpAddress": example.address,
        "serverRestApiPort": example.port,
    }
    pages = console.pages(*children, about) | docs.pages(example.port, example.address)
    hosts = _callback_hosts(options.callback_base_url)
    # Closed before the server: its streams end by themselves.
    server = stack.enter_context(
        closing(serve(read.routes, invoke, port=options.port, pages=pages, callback_hosts=hosts))
    )
    stack.callback(console.close)
    return server.url, example


def _callback_hosts(url: str) -> list[str]:
    try:
        return [name] if (name := urlsplit(url).hostname) else []
    except ValueError as error:
        raise CannotStart(f"CALLBACK_BASE_URL cannot be used: {error}") from None


def _bridge_address() -> str:
    try:
        return bridge.find_address()
    except bridge.NoBridge as error:
        raise CannotStart(f"SAM_LOCAL=1 needs Docker, and {error}") from None


def _stack_at(address: str, options: argparse.Namespace) -> sam_local.Stack:
    """What functions in containers need, which reach this machine at `address`."""
    functions = template.read().functions.values()
    declared = {name for function in functions for name in function.environment}
    environment = {name: os.environ[name] for name in sorted(declared) if name in os.environ}
    environment["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://{address}:{options.table_port}"
    return sam_local.Stack(os.getpid(), address, options.table_port, options.rest_port, environment)


def _need_free_ports(ports: Mapping[str, int], host: str = HOST) -> None:
    faults = []
    with ExitStack() as stack:
        # Held until all are tried: two parts cannot have the same one.
        for name, port in ports.items():
            try:
                stack.enter_context(closing(socket.create_server((host, port))))
            except OSError as error:
                why = os.strerror(error.errno or 0)
                faults.append(f"port {port} of {host} cannot be had ({why}); {name} chooses another")
    if faults:
        raise CannotStart("\n".join(faults))


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


def _welcome(
    url: str, server: ExampleServer, behaviours: Sequence[Behaviour], csms: Child, chargers: Child
) -> str:
    request = {
        "id": str(uuid4()),
        "chargerId": "CP-1",
        "tokenId": "DE8AA12345",
        "serverIpAddress": server.address,
        "serverRestApiPort": server.port,
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


def _about_link_servers(server: ExampleServer, rest_port: int) -> str:
    if not server.allowed:
        return "LINK_SERVERS is yours and allows no server: the request above is answered with 403.\n"
    if (server.address, server.port) == (HOST, rest_port):
        return (
            "LINK_SERVERS is yours. The request above names the local OCPP server, which it allows; "
            "to call your own, name that one and its charger.\n"
        )
    return (
        f"LINK_SERVERS is yours. The request above names an address that it allows ({server.dialect}, "
        f"{server.address}, port {server.port}): check it, and name a charger of that server.\n"
    )


def _sam_local_hint(address: str, *, own_servers: bool) -> str:
    more = (
        f" Events name the OCPP server at {address}, which your LINK_SERVERS must allow."
        if own_servers
        else ""
    )
    return f"""Containers reach the table and the OCPP server at {address}.{more} In another terminal:

  make invoke EVENT=events/json/accepted.json
"""


def _wait_for_end(at_terminal: bool) -> None:
    # Of a closed terminal the kernel tells only the session's first process. Where that is make (ssh -t host make run), it waits
    # for this one, which would not hear of it.
    if at_terminal:
        terminal = select.poll()
        terminal.register(0, 0)
        if terminal.poll()[0][1] & select.POLLHUP:
            return
    while True:
        signal.pause()


def _heed_no_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())

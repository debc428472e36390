"""Start every part of the local stack, in the order in which they need each other."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local import bridge, dialects, docs, sam_local, schedule, template, welcome
from local.chargers.behaviours import unusual, usual
from local.console import Console
from local.example import ExampleServer, choose
from local.processes import Process
from scripts.import_roots import import_roots

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from local.chargers.behaviours import Behaviour

HOST = "127.0.0.1"
TABLE_NAME = "attempts"
READY_SECONDS = 30.0

JOURNAL_SECRET = "only-for-the-local-stack"  # noqa: S105 (the journal is discarded when the stack ends)
LINK_SERVERS = [
    {"network": "127.0.0.0/8", "ports": ["1024-65535"], "dialect": dialects.NATIVE, "scheme": "http"}
]


class CannotStart(Exception):
    """The stack cannot start. The text says why, for the user."""


def launch(options: argparse.Namespace, stack: ExitStack) -> None:
    """Start everything and print where it is. `stack` ends it again. Raises CannotStart."""
    # Containers reach this address of the machine and no other.
    options.extra_hosts = [_bridge_address()] if options.sam_local else []
    reachable = {
        "TABLE_PORT": options.table_port,
        "REST_PORT": options.rest_port,
        "OCPP_PORT": options.ocpp_port,
    }
    _check_ports({"PORT": options.port} | reachable)
    for host in options.extra_hosts:
        _check_ports(reachable, host)
    behaviours = usual() + (unusual() if options.chargers else [])
    console = Console()
    csms, charge_points = _start_ocpp(options, behaviours, console, stack)
    url, server = _start_functions(options, console, csms, charge_points, stack)
    _wait_for_charge_points(options, behaviours, [csms, charge_points])
    for host in options.extra_hosts:
        stack.enter_context(sam_local.published(_stack_at(host, options)))
    print(welcome.write_welcome(url, server, behaviours, csms, charge_points), flush=True)
    if options.link_servers:
        print(welcome.describe_link_servers(server, (HOST, options.rest_port)), flush=True)
    for host in options.extra_hosts:
        print(welcome.describe_sam_local(host, own_servers=bool(options.link_servers)), flush=True)


def _start_ocpp(
    options: argparse.Namespace, behaviours: Sequence[Behaviour], console: Console, stack: ExitStack
) -> tuple[Process, Process]:
    def report(text: str) -> None:
        print(text, flush=True)
        console.add_notice(text)

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
    csms = Process("the OCPP server", module, arguments, report)
    stack.callback(csms.stop)
    arguments = dialects.charge_points(options.dialect, options.ocpp_port)
    arguments.append(f"--charge-seconds={options.charge_seconds}")
    if options.chargers:
        arguments.append("--all")
    charge_points = Process(
        "the charge points", "local.chargers", arguments, report, console.set_charge_points
    )
    stack.callback(charge_points.stop)
    return csms, charge_points


def _start_functions(
    options: argparse.Namespace,
    console: Console,
    csms: Process,
    charge_points: Process,
    stack: ExitStack,
) -> tuple[str, ExampleServer]:
    # Imported here: moto takes a second to import, in which the OCPP server starts.
    from local.gateway import serve
    from local.invokers import in_process, load_handlers
    from local.table import start_table

    resources = template.read()
    table = stack.enter_context(
        closing(start_table(port=options.table_port, name=TABLE_NAME, extra_hosts=options.extra_hosts))
    )
    for function in resources.functions.values():
        os.environ.update(function.environment)
    os.environ.update(table.environment())
    _set_environment(options)
    sys.path[:0] = [str(root) for root in import_roots()]
    from charger_link.servers import LinkServersError
    from common.settings import SettingsError
    from common.settings.connect import ConnectSettings

    used = {route.function for route in resources.routes} | {one.function for one in resources.schedules}
    try:
        handlers = load_handlers({name: resources.functions[name] for name in sorted(used)})
        link_servers = ConnectSettings.read(os.environ).link_servers_json(os.environ)
        example = choose(link_servers, ExampleServer(HOST, options.rest_port, options.dialect, allowed=True))
    except (SettingsError, LinkServersError) as error:
        raise CannotStart(error) from None
    invoke = in_process(handlers)
    table.on_applied = console.on_write
    table.on_change = console.on_change
    description = {
        "dialect": options.dialect,
        "serverIpAddress": example.address,
        "serverRestApiPort": example.port,
    }
    pages = console.pages(csms, charge_points, description) | docs.pages(example.port, example.address)
    hosts = _callback_hosts(options.callback_base_url)
    server = stack.enter_context(
        closing(serve(resources.routes, invoke, port=options.port, pages=pages, callback_hosts=hosts))
    )
    for scheduled in resources.schedules:
        pause = options.sweep_seconds or scheduled.seconds
        stack.enter_context(schedule.running(invoke, scheduled.function, scheduled.event, pause))
    # The console closes before the server, so that its event streams end by themselves.
    stack.callback(console.close)
    return server.url, example


def _set_environment(options: argparse.Namespace) -> None:
    """Set the variables that are not the template's or the table's."""
    networks = [LINK_SERVERS[0]["network"], *(f"{host}/32" for host in options.extra_hosts)]
    own = [LINK_SERVERS[0] | {"network": network, "dialect": options.dialect} for network in networks]
    os.environ["LINK_SERVERS"] = options.link_servers or json.dumps(own)
    os.environ["CALLBACK_BASE_URL"] = options.callback_base_url or f"http://{HOST}:{options.port}"
    os.environ["LINK_TIMEOUT"] = f"{options.link_timeout:g}"
    os.environ["JOURNAL_SECRET"] = JOURNAL_SECRET
    # The user's own credentials must not replace those of the local table.
    for foreign in ("AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        os.environ.pop(foreign, None)


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
    """Return what functions in containers need. They reach this machine at `address`."""
    functions = template.read().functions.values()
    declared = {name for function in functions for name in function.environment}
    environment = {name: os.environ[name] for name in sorted(declared) if name in os.environ}
    environment["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://{address}:{options.table_port}"
    return sam_local.Stack(os.getpid(), address, options.table_port, options.rest_port, environment)


def _check_ports(ports: Mapping[str, int], host: str = HOST) -> None:
    faults = []
    with ExitStack() as stack:
        # All ports stay open until the last is tried, so that two parts with the same port are found.
        for name, port in ports.items():
            try:
                stack.enter_context(closing(socket.create_server((host, port))))
            except OSError as error:
                why = os.strerror(error.errno or 0)
                faults.append(f"port {port} of {host} cannot be used ({why}); set {name} to another port")
    if faults:
        raise CannotStart("\n".join(faults))


def _wait_for_charge_points(
    options: argparse.Namespace, behaviours: Sequence[Behaviour], processes: Sequence[Process]
) -> None:
    missing = [behaviour.identity for behaviour in behaviours if behaviour.online]
    until = time.monotonic() + READY_SECONDS
    while missing := [
        identity
        for identity in missing
        if not dialects.is_connected(options.dialect, options.rest_port, identity)
    ]:
        for process in processes:
            if not process.running:
                raise CannotStart(f"{process.title} ended during the start")
        if time.monotonic() > until:
            raise CannotStart(f"charge points not connected after {READY_SECONDS:g} s: {', '.join(missing)}")
        time.sleep(0.1)

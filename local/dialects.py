"""Which OCPP server the local stack runs: the native one, or the stand-in of another dialect."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from typing import TYPE_CHECKING, Any

from charger_link.dialects import registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

NATIVE = "native"
SIMULATED = tuple(name for name in registry.NAMES if name != NATIVE)
_HOST = "127.0.0.1"
_PATIENCE = 30.0  # seconds


def read(text: str) -> str:
    """The dialect that a command line names, with underscores or hyphens. ArgumentTypeError."""
    name = text.replace("_", "-") or NATIVE
    if name not in registry.NAMES:
        raise ArgumentTypeError(f"{text!r} is none of {', '.join(registry.NAMES)}")
    return name


def simulator(dialect: str) -> ModuleType:
    """Import the simulator of a dialect: the module of `local.simulators` that is named as the dialect's own."""
    return import_module(f"local.simulators.{registry.MODULES[dialect].rpartition('.')[2]}")


def server(
    dialect: str,
    rest_port: int,
    ocpp_port: int,
    database: str,
    known: Sequence[str],
    extra_hosts: Sequence[str] = (),
) -> tuple[str, list[str]]:
    """Module and arguments of the OCPP server. `known` are chargers that it knows before they connect, if it is native;
    `extra_hosts` are addresses that it listens on beside the loopback interface."""
    ports = [f"--rest-port={rest_port}", f"--ocpp-port={ocpp_port}", f"--extra-hosts={','.join(extra_hosts)}"]
    if dialect == NATIVE:
        return "local.csms", [*ports, f"--database={database}", f"--known={','.join(known)}"]
    return "local.simulators", [dialect, *ports]


def charge_points(dialect: str, ocpp_port: int) -> list[str]:
    """Arguments of the charge points that belong to it."""
    speak = ["--speak=1.6"] if dialect != NATIVE and simulator(dialect).OCPP_16_ONLY else []
    return [f"--server=ws://{_HOST}:{ocpp_port}/ocpp", *speak]


def is_connected(dialect: str, rest_port: int, identity: str) -> bool:
    """Whether the server holds this charger's WebSocket and may ask it something."""
    try:
        if dialect != NATIVE:
            return identity in _get(rest_port, "/stand-in/connected")
        return bool(_get(rest_port, f"/api/v1/chargers/{identity}")["status"] != "Unavailable")
    except (OSError, HTTPException, ValueError):
        return False


def _get(port: int, path: str) -> Any:
    connection = HTTPConnection(_HOST, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise HTTPException(answer.status)
        return json.loads(answer.read())
    finally:
        connection.close()

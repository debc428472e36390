"""The OCPP server that the local stack runs: the native one, or a simulator of another dialect."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from typing import TYPE_CHECKING, Any

from charger_link.dialects import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.simulators.serving import Model

NATIVE = "native"
SIMULATED = tuple(name for name in registry.NAMES if name != NATIVE)
_HOST = "127.0.0.1"
_TIMEOUT = 30.0  # seconds


def read(text: str) -> str:
    """Return the dialect of this name, written with underscores or hyphens. Raises ArgumentTypeError."""
    name = text.replace("_", "-") or NATIVE
    if name not in registry.NAMES:
        raise ArgumentTypeError(f"{text!r} is none of {', '.join(registry.NAMES)}")
    return name


def models(dialect: str) -> dict[str, Callable[[], Model]]:
    """Return the models of a dialect's simulator, by name: the module of `local.simulators` that is named as the dialect's own."""
    module = import_module(f"local.simulators.{registry.MODULES[dialect].rpartition('.')[2]}")
    found: dict[str, Callable[[], Model]] = module.MODELS
    return found


def server(
    dialect: str,
    rest_port: int,
    ocpp_port: int,
    database: str,
    known: Sequence[str],
    extra_hosts: Sequence[str] = (),
) -> tuple[str, list[str]]:
    """Return module and arguments of the OCPP server.

    `known` are the chargers that a native server knows before they connect. It listens on loopback and on `extra_hosts`.
    """
    ports = [f"--rest-port={rest_port}", f"--ocpp-port={ocpp_port}", f"--extra-hosts={','.join(extra_hosts)}"]
    if dialect == NATIVE:
        return "local.csms", [*ports, f"--database={database}", f"--known={','.join(known)}"]
    return "local.simulators", [dialect, *ports]


def charge_points(dialect: str, ocpp_port: int) -> list[str]:
    """Return the arguments of the charge points that connect to this server."""
    arguments = [f"--server=ws://{_HOST}:{ocpp_port}/ocpp"]
    if dialect != NATIVE and "ocpp2.0.1" not in models(dialect)[dialect]().subprotocols:
        arguments.append("--ocpp-version=1.6")
    return arguments


def is_connected(dialect: str, rest_port: int, identity: str) -> bool:
    """Return whether this charger is connected to the server and may receive calls."""
    try:
        if dialect != NATIVE:
            return identity in _get(rest_port, "/simulator/connected")
        return bool(_get(rest_port, f"/api/v1/chargers/{identity}")["status"] != "Unavailable")
    except (OSError, HTTPException, ValueError):
        return False


def _get(port: int, path: str) -> Any:
    connection = HTTPConnection(_HOST, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != HTTPStatus.OK:
            raise HTTPException(response.status)
        return json.loads(response.read())
    finally:
        connection.close()

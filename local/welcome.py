"""What `make run` prints once the stack is ready."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.chargers.behaviours import Behaviour
    from local.example import ExampleServer
    from local.processes import Process

PATH = "/api/v1/ocpp/charger-connect"


def write_welcome(
    url: str,
    server: ExampleServer,
    behaviours: Sequence[Behaviour],
    csms: Process,
    charge_points: Process,
) -> str:
    """Return the addresses of the gateway at `url`, and requests to `server` that can be pasted into a shell."""
    request = {
        "id": str(uuid4()),
        "chargerId": "CP-1",
        "tokenId": "DE8AA12345",
        "serverIpAddress": server.address,
        "serverRestApiPort": server.port,
    }
    return f"""
ready: {url}{PATH}
console: {url}/

  curl -i {url}{PATH} -H 'Content-Type: application/json' \\
    -d '{json.dumps(request)}'
  curl -i {url}{PATH}/{request["id"]}

Charge points {behaviours[0].identity} to {behaviours[-1].identity} are running. To see a failure, kill the OCPP server
(kill -9 {csms.pid}) or the charge points (kill -9 {charge_points.pid}): they restart. Ctrl-C ends everything.
"""


def describe_link_servers(server: ExampleServer, local: tuple[str, int]) -> str:
    """Return which server the printed request names, where the user set LINK_SERVERS. `local` is the address of ours."""
    if not server.allowed:
        return "You set LINK_SERVERS, and it allows no server: the request above receives 403.\n"
    if (server.address, server.port) == local:
        return (
            "You set LINK_SERVERS. It allows the local OCPP server, which the request above names. "
            "To call your own server, name that server and its charger.\n"
        )
    return (
        f"You set LINK_SERVERS. The request above names an address that it allows ({server.dialect}, "
        f"{server.address}, port {server.port}): check it, and name a charger of that server.\n"
    )


def describe_sam_local(address: str, *, own_servers: bool) -> str:
    """Return how to run `make invoke` beside this stack; with `own_servers`, the user set LINK_SERVERS."""
    condition = (
        f" Events name the OCPP server at {address}, which your LINK_SERVERS must allow."
        if own_servers
        else ""
    )
    return f"""Containers reach the table and the OCPP server at {address}.{condition} In another terminal:

  make invoke EVENT=events/json/accepted.json
"""

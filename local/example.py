"""Choose the OCPP server that the example request of `make run` names: one that `LinkServers` allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from charger_link import LinkServer, LinkServers


class ExampleServer(NamedTuple):
    """An OCPP server's address. `allowed` is False if `LinkServers` allows no server."""

    address: str
    port: int
    dialect: str
    allowed: bool


def choose(link_servers: str, local: ExampleServer) -> ExampleServer:
    """Return the `local` server if `LinkServers` (JSON) allows it, else the first address and port of its first usable entry.

    Entries that are not enabled are skipped, and entries whose first address is not allowed. Raises LinkServersError.
    """
    from charger_link import LinkServer, LinkServers

    servers = LinkServers.parse(link_servers)
    entry = _allowing(servers, local.address, local.port)
    if entry and (entry.dialect, entry.scheme) == (local.dialect, "http"):
        return local
    for entry in map(LinkServer.model_validate, json.loads(link_servers)):
        address, port = str(next(iter(entry.network.hosts()))), entry.ports[0][0]
        if _allowing(servers, address, port) == entry:
            return ExampleServer(address, port, entry.dialect, allowed=True)
    return local._replace(allowed=False)


def _allowing(servers: LinkServers, address: str, port: int) -> LinkServer | None:
    from charger_link import AddressNotAllowed

    try:
        entry = servers.find(address, port).entry
    except AddressNotAllowed:
        return None
    return entry if entry.enabled else None

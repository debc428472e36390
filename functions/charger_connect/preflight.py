"""Check before traffic shifts whether this version can reach what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_link import AddressNotAllowed, AddressUnusable
from common.edge.journal_access import journal_failures

if TYPE_CHECKING:
    from charger_connect.service import Service

_OPERATIONS = ("UpdateItem", "GetItem", "Query", "BatchGetItem")


def failures(service: Service) -> list[str]:
    """Return what this version cannot reach; OCPP servers are not called, since a deployment must not depend on them."""
    found = [f"secret {name}" for name in service.link.unreadable(service.servers.secrets)]
    if service.default_server is not None:
        try:
            service.servers.find_named(service.default_server)
        except (AddressNotAllowed, AddressUnusable):
            found.append(f"DefaultLinkServer {service.default_server}: no entry of LinkServers allows it")
    return found + journal_failures(service.journal, _OPERATIONS)

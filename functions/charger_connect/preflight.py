"""Before traffic shifts: can this version reach what it needs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_link import AddressNotAllowed, AddressUnusable
from common.journal import JournalUnavailable
from common.transport import Deadline

if TYPE_CHECKING:
    from charger_connect.service import Service

_OPERATIONS = ("UpdateItem", "GetItem", "Query", "BatchGetItem")
_PATIENCE = 10.0  # seconds


def failures(service: Service) -> list[str]:
    """What it cannot reach, in words; OCPP servers are not asked: a deployment must not wait for them."""
    found = [f"secret {name}" for name in service.link.unreadable(service.servers.secrets)]
    if service.default_server is not None:
        try:
            service.servers.find_named(service.default_server)
        except (AddressNotAllowed, AddressUnusable):
            found.append(f"DefaultLinkServer {service.default_server}: no entry of LinkServers allows it")
    try:
        service.journal.check_access(_OPERATIONS, Deadline.after(_PATIENCE))
    except JournalUnavailable as error:
        found.append(f"table: {error.reason}")
    return found

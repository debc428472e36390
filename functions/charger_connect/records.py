"""Search the OCPP server's records for the charge of an attempt, within the deadline of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_connect.choose_server import check_circuit
from charger_link import Command

if TYPE_CHECKING:
    from charger_connect.service import Service
    from common.edge.call import Call
    from common.journal import Attempt
    from common.journal.looking import Look
    from common.transport import Deadline


def search_records(attempt: Attempt, call: Call, service: Service, deadline: Deadline) -> Look | None:
    """Search once, and record what the records show; None if this kind of server keeps none.

    The server's reply must arrive before `deadline`; recording it may take the rest of the call's time.

    Raises
    ------
    AddressNotAllowed, AddressUnusable
        LinkServers does not allow the server of the start today.
    LinkError
        The records could not be read. This says nothing about the start.
    JournalUnavailable
    """
    # Imported here: a start needs none of this.
    from common.journal.evidence import Window
    from common.journal.search import search

    server = service.servers.find_same(attempt.server or "", attempt.url, attempt.dialect, attempt.tenant)
    deadline = deadline.within(service.link_timeout)
    check_circuit(server, service, deadline)
    command = Command(
        attempt.id, attempt.chargerId, None, attempt.connectorId, server, trace_parent=call.trace_parent
    )
    return search(
        service.journal,
        attempt,
        lambda since, until: service.link.find(command, since, until, deadline),
        window=Window(service.clock_tolerance, service.start_window),
        secret=service.secret,
        deadline=call.deadline,
    )

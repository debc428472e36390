"""Choose the OCPP server of a request, and decide whether it may be called now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_connect import observe
from charger_link import AddressNotAllowed, AddressUnusable, CircuitOpen, Outcome
from charger_link.words import REFUSALS, InfoWord
from common.journal import State
from common.wire import FieldError, ProblemError, make_problem

if TYPE_CHECKING:
    from charger_connect.request import ConnectRequest
    from charger_connect.service import Service
    from charger_link import Server
    from common.journal import Attempt
    from common.transport import Deadline

_PAUSED_RETRY_AFTER = "60"
# The `info` of a rejection by the charger starts with one of these: its own Rejected, or its OCPP 2.0.1 reasonCode.
_CHARGER_REJECTIONS = (
    InfoWord.CHARGER_REFUSED,
    InfoWord.CONNECTOR_BUSY,
    f"{InfoWord.TOKEN_REFUSED} InvalidIdToken",
)


def choose_server(request: ConnectRequest, service: Service, deadline: Deadline) -> Server:
    """Return the first of these servers that is allowed.

    1. the one that the request names; if it names one, no other is tried
    2. the one through which this charger last answered
    3. the deployment's default server
    4. the one of an attempt of this charger whose outcome is unknown

    Raises
    ------
    ProblemError
        403: the named server is not allowed; 400: no server is known.
    JournalUnavailable
    """
    try:
        if request.serverIpAddress is not None and request.serverRestApiPort is not None:
            return service.servers.find(request.serverIpAddress, request.serverRestApiPort)
        known = service.journal.newest_servers(request.chargerId or "", charger_answered, deadline)
        for name in (known.answered, service.default_server, known.unknown):
            if name is None:
                continue
            try:
                return service.servers.find_named(name)
            except (AddressNotAllowed, AddressUnusable):
                continue  # LinkServers allowed it in the past
    except AddressNotAllowed as error:
        detail = (
            "LinkServers does not allow the OCPP server's address and port: ask the operator to add them."
        )
        raise ProblemError(make_problem("address-not-allowed", detail)) from error
    missing = "is missing, and no OCPP server is known for this charger: name its address and port"
    errors = [FieldError("serverIpAddress", missing)]
    raise ProblemError(
        make_problem(
            "invalid-request", "Name the OCPP server that the charger is connected to.", errors=errors
        )
    )


def check_server(request: ConnectRequest, server: Server, service: Service, deadline: Deadline) -> None:
    """Raise ProblemError (503) if the server may not be called now; nothing has been sent then."""
    if request.tokenId is not None and (service.paused or not server.entry.enabled):
        detail = "The operator has paused starts, so nothing was sent. Try again later with the same id."
        raise ProblemError(make_problem("starts-paused", detail), {"Retry-After": _PAUSED_RETRY_AFTER})
    try:
        check_circuit(server, service, deadline)
    except CircuitOpen as error:
        observe.circuit_refused()
        if error.opened_circuit:
            observe.circuit_opened(server.name, error.kind)
        problem = make_problem("circuit-open", error.detail)
        raise ProblemError(problem, {"Retry-After": str(error.retry_after)}) from error


def check_circuit(server: Server, service: Service, deadline: Deadline) -> None:
    """Raise CircuitOpen if the server's circuit is open; a suspect server is sent a health check first."""
    if service.circuits.check(server.name):
        service.link.check_server(server, deadline)


def connector_for(request: ConnectRequest, server: Server) -> int | None:
    """Return the connector that the request names; for a start without one, that of the server's entry."""
    return request.connectorId or (server.entry.start_connector if request.tokenId is not None else None)


def is_first_server(attempt: Attempt, server: Server) -> bool:
    """Return whether this entry still describes the server that received the first try: no other server knows its id."""
    return attempt.dialect == server.entry.dialect and attempt.url in (None, server.url)


def charger_answered(attempt: Attempt) -> bool:
    """Return whether the charger itself answered in this attempt: it accepted, it rejected, or it sent a status.

    A rejection that was made before the charger was asked proves nothing. Such attempts are ``failed``, but version 1.0 stored
    them as ``completed``, so a rejection is judged by its info as well: none (some servers give none), a word that only
    a charger's answer leads to, or the code of the charger's CALLERROR.
    """
    answer = attempt.answer
    if attempt.state is not State.COMPLETED or answer is None:
        return False
    if answer["outcome"] != Outcome.REJECTED:
        return answer["outcome"] in (Outcome.ACCEPTED, Outcome.STATUS)
    info = answer.get("info")
    if not info or info.startswith(_CHARGER_REJECTIONS):
        return True
    word, _, code = info.partition(" ")
    return word == InfoWord.NOT_SUPPORTED and code in REFUSALS

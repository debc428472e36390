"""OCPP.Core, OCPP 1.6, 2.0.1 and 2.1: https://github.com/dallmann-consulting/OCPP.Core

Charger, connector and token are segments of the path. The API does not distinguish an unknown charger from a disconnected
one, or a CALLERROR from a timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.answer import Answer, Outcome
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect
from charger_link.errors import OutcomeUnknown, ServerFailed
from charger_link.limits import LIST_LIMIT, LONGEST_TOKEN_16
from charger_link.words import InfoWord

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange

_OFFLINE = InfoWord.UNKNOWN_OR_NOT_CONNECTED
# RFC 3986, 5.2.4: a server or proxy removes these segments from a path, and "%2E" is the same as a dot. The next segment would
# take the place of the removed one. The service rejects such a charger earlier (charger_connect/request.py).
_DOT_SEGMENTS = frozenset({".", ".."})
_STATUSES = {
    1: "Available",
    2: "Occupied",
    3: "Unavailable",
    4: "Faulted",
}  # ConnectorStatusEnum; 0: undefined


def start(command: Command, exchange: Exchange) -> Answer:
    connector, token = command.connector, command.token or ""
    if "/" in token:  # its web server does not decode "%2F": the charger would receive another token
        return ocpp.rejected_early(InfoWord.NOT_SUPPORTED, connector, "a slash in a token")
    if not _DOT_SEGMENTS.isdisjoint((token, command.charger_id)):
        return ocpp.rejected_early(InfoWord.NOT_SUPPORTED, connector, "a token of dots only")
    if len(token) > LONGEST_TOKEN_16:
        connected = _connected_before(command, exchange)
        if connected is None:
            return ocpp.offline(_OFFLINE, connector)
        if connected.get("protocol") == "ocpp1.6":
            return ocpp.rejected_early(InfoWord.TOKEN_TOO_LONG, connector)
    parts = (command.charger_id, str(connector), token)
    path = "/".join(quote(part, safe="") for part in parts)
    reply = exchange.send("GET", f"/StartTransaction/{path}")
    if reply.status == 404 and not reply.text:
        return ocpp.offline(_OFFLINE, connector)
    if reply.status == 400 and not reply.text:
        raise readings.request_unreadable("charger, connector and token are parts of a path there")
    if reply.status != 200 or not isinstance(reply.json, dict):
        raise readings.misunderstood(f"http-{reply.status}")
    status = reply.json.get("status")
    if status == "Timeout":
        raise readings.silent()
    if (
        status == "Rejected"
    ):  # by the charger, or by the server because of the token; the reply does not say which
        return Answer(Outcome.REJECTED, "Rejected", connector or 0)
    return readings.started(reply.json, connector)


def status(command: Command, exchange: Exchange) -> Answer:
    connected = _connected(command, exchange)
    if connected is None:
        return ocpp.offline(_OFFLINE, command.connector)
    connectors = {
        int(number): state.get("Status")
        for number, state in connected.get("OnlineConnectors", {}).items()
        if state.get("Status") in _STATUSES and ocpp.is_connector(int(number))
    }
    number = command.connector or min(connectors, default=0)
    if number not in connectors:
        raise OutcomeUnknown(
            "no-status", "The charger is connected, and has sent the OCPP server no status yet."
        )
    return Answer(Outcome.STATUS, _STATUSES[connectors[number]], number)


def _connected(command: Command, exchange: Exchange) -> dict[str, Any] | None:
    """Return the charger's entry in the list of connected chargers; None if it has none."""
    reply = exchange.send("GET", "/Status", limit=LIST_LIMIT)
    if reply.status != 200 or not isinstance(reply.json, list):
        raise readings.misunderstood(f"http-{reply.status}")
    return next((one for one in reply.json if one.get("id") == command.charger_id), None)


def _connected_before(command: Command, exchange: Exchange) -> dict[str, Any] | None:
    """Return the same before a start; a list that does not arrive then means that nothing was started."""
    try:
        return _connected(command, exchange)
    except OutcomeUnknown as error:
        detail = "The OCPP server did not say which OCPP version the charger uses, so nothing was sent."
        raise ServerFailed("no-list", detail) from error


DIALECT = Dialect(
    name="ocpp-core",
    health_path="/Status",
    wait=60.0,
    delivery=60.0,
    base_path="/API",
    default_connector=1,
    needs_connector=True,  # its path has a segment for the connector
    carries_remote_start_id=False,  # it sends 0
    start=start,
    status=status,
)

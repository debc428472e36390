"""OCPP.Core, OCPP 1.6, 2.0.1 and 2.1: https://github.com/dallmann-consulting/OCPP.Core

Charger, connector and token are segments of the path. The API does not distinguish an unknown charger from a disconnected
one, or a CALLERROR from a timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.command import Answer, Outcome
from charger_link.dialects import readings
from charger_link.errors import OutcomeUnknown, ServerFailed

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.link import Exchange

REPEATABLE = False
_OFFLINE = "unknown-or-not-connected"
# RFC 3986, 5.2.4: a server or proxy removes these from a path, and "%2E" is the same as a dot. Another value would take the
# place of the one that is missing. The service refuses such a charger before this (charger_connect/request.py).
_DOT_SEGMENTS = frozenset({".", ".."})
_STATUSES = {
    1: "Available",
    2: "Occupied",
    3: "Unavailable",
    4: "Faulted",
}  # ConnectorStatusEnum; 0: undefined


def start(command: Command, exchange: Exchange) -> Answer:
    connector, token = command.connector, command.token or ""
    if "/" in token:  # its web server hands "%2F" on as it stands: the charger would get another token
        return ocpp.rejected_early("not-supported", connector, "a slash in a token")
    if not _DOT_SEGMENTS.isdisjoint((token, command.charger_id)):
        return ocpp.rejected_early("not-supported", connector, "a token of dots only")
    if len(token) > ocpp.LONGEST_TOKEN_16:
        connected = _connected_before(command, exchange)
        if connected is None:
            return ocpp.offline(_OFFLINE, connector)
        if connected.get("protocol") == "ocpp1.6":
            return ocpp.rejected_early("token-too-long", connector)
    parts = (command.charger_id, str(connector), token)
    path = "/".join(quote(part, safe="") for part in parts)
    reply = exchange.send("GET", f"/StartTransaction/{path}")
    if reply.status == 404 and not reply.text:
        return ocpp.offline(_OFFLINE, connector)
    if reply.status == 400 and not reply.text:
        raise readings.unreadable("charger, connector and token are parts of a path there")
    if reply.status != 200 or not isinstance(reply.json, dict):
        raise readings.misunderstood(f"http-{reply.status}")
    said = reply.json.get("status")
    if said == "Timeout":
        raise readings.silent()
    if said == "Rejected":  # by the charger, or by the server because of the token: it does not say which
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
            "no-status", "The charger is connected, and has told the OCPP server no status yet."
        )
    return Answer(Outcome.STATUS, _STATUSES[connectors[number]], number)


def _connected(command: Command, exchange: Exchange) -> dict[str, Any] | None:
    """The charger's entry in the list of those connected, if it is there."""
    reply = exchange.send("GET", "/Status", limit=readings.LIST_LIMIT)
    if reply.status != 200 or not isinstance(reply.json, list):
        raise readings.misunderstood(f"http-{reply.status}")
    return next((one for one in reply.json if one.get("id") == command.charger_id), None)


def _connected_before(command: Command, exchange: Exchange) -> dict[str, Any] | None:
    """The same before a start, where a list that does not come means that nothing was started."""
    try:
        return _connected(command, exchange)
    except OutcomeUnknown as error:
        detail = "The OCPP server did not say which OCPP version the charger speaks, so nothing was sent."
        raise ServerFailed(error.kind, detail) from error

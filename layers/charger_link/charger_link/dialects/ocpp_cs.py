"""ocpp-cs of apostoldevel, versions 1 and 2, OCPP 1.6: https://github.com/apostoldevel/ocpp-cs

It passes the charger's own answer on. Errors are ``{"error": {"code", "message"}}``; version 1 says nearly everything
with 400, so that only the message tells one from another, and version 2 uses 503 for a charger that is not connected
as well as for one that is silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.command import Answer, Outcome
from charger_link.dialects import readings
from charger_link.errors import ChargerUnknown, OutcomeUnknown, StatusNotAvailable

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.link import Exchange, Reply

REPEATABLE = False


def start(command: Command, exchange: Exchange) -> Answer:
    connector, token = command.connector, command.token or ""
    if len(token) > ocpp.LONGEST_TOKEN_16:
        return ocpp.rejected("token-too-long", connector)
    payload: dict[str, Any] = {"idTag": token}
    if connector is not None:
        payload["connectorId"] = connector
    charger = quote(command.charger_id, safe="")
    reply = exchange.send("POST", f"/api/v1/ChargePoint/{charger}/RemoteStartTransaction", payload)
    if reply.status != 200:
        return _refusal(command, reply)
    if isinstance(reply.json, dict) and reply.json.get("error") is True:  # version 2: a CALLERROR
        return readings.call_error(reply.json.get("errorCode"), connector)
    return readings.started(reply.json, connector)


def status(command: Command, exchange: Exchange) -> Answer:
    reply = exchange.send("GET", "/api/v1/ChargePointList", limit=readings.LIST_LIMIT)
    listed = reply.json
    if reply.status == 200 and isinstance(listed, list):
        return _status_of_version_2(command, listed)
    if reply.status == 200 and isinstance(listed, dict) and isinstance(listed.get("ChargePointList"), list):
        return _status_of_version_1(command, listed["ChargePointList"])
    raise readings.forbidden() if reply.status == 403 else readings.misunderstood(f"http-{reply.status}")


def _status_of_version_1(command: Command, listed: list[Any]) -> Answer:
    """Version 1 lists the connected ones only, and never a status."""
    charger = next((one for one in listed if one.get("Identity") == command.charger_id), None)
    if charger is None:
        return ocpp.offline("unknown-or-not-connected", command.connector)
    if "Connection" not in charger:
        return ocpp.offline("not-connected", command.connector)
    detail = (
        "The charger is connected, and this OCPP server keeps no status. Send a tokenId to start a charge."
    )
    raise StatusNotAvailable("status-not-available", detail)


def _status_of_version_2(command: Command, listed: list[Any]) -> Answer:
    """Version 2 lists all it ever met, each with its last StatusNotification as the charger sent it."""
    charger = next((one for one in listed if one.get("identity") == command.charger_id), None)
    if charger is None:
        raise _unknown()
    if not charger.get("connection"):
        return ocpp.offline("not-connected", command.connector)
    last = charger.get("statusNotification") or {}
    said = last.get("status", last.get("connectorStatus"))  # OCPP 1.6, 2.0.1
    connector = last.get("connectorId") if "status" in last else last.get("evseId")
    error_code = last.get("errorCode", "NoError")
    if (
        said not in ocpp.STATUSES
        or not ocpp.is_connector(connector)
        or command.connector not in (None, connector)
    ):
        raise OutcomeUnknown("no-status", "The OCPP server keeps no status of this charger's connector.")
    return Answer(
        Outcome.STATUS, said, connector, error_code if error_code in ocpp.ERROR_CODES else "OtherError"
    )


def _refusal(command: Command, reply: Reply) -> Answer:
    message = _message(reply)
    match reply.status:
        case 400 if message.startswith("Not found Charge Point"):
            raise _unknown()
        case 400 if message == "Charge Point not connected.":
            return ocpp.offline("not-connected", command.connector)
        case 400 if message.startswith(("Not found required key", "Missing required field")):
            raise readings.unreadable("it misses a member")
        case 400:  # version 1: a CALLERROR as "code: description"
            return readings.call_error(message.partition(":")[0], command.connector)
        case 403:
            raise readings.forbidden()
        case 404 if reply.kind != "text/html":
            raise _unknown()
        case 503 if "not connected" in message and "did not respond" not in message:
            return ocpp.offline("not-connected", command.connector)
        case 503 if "did not respond" in message:
            raise readings.silent()
        case 504:
            raise readings.silent()
        case code:
            raise readings.misunderstood(f"http-{code}")


def _message(reply: Reply) -> str:
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else reply.text


def _unknown() -> ChargerUnknown:
    return ChargerUnknown("charger-unknown", "The OCPP server does not know this charger.")

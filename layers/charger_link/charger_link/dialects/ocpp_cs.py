"""ocpp-cs of apostoldevel, version 1 (OCPP 1.6) and 2 (1.6 and 2.0.1): https://github.com/apostoldevel/ocpp-cs

It passes the charger's own answer on. Errors are ``{"error": {"code", "message"}}``; version 1 says nearly everything
with 400, so that only the message tells one from another, and version 2 uses 503 for a charger that is not connected
as well as for one that is silent. The body is the OCPP message's own: that of the charger's other version is answered,
before anything is sent, with the member it misses. Since March 2026 version 2 translates the body of 1.6 for a charger of
2.0.1 itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.command import Answer, Outcome
from charger_link.dialects import readings
from charger_link.errors import ChargerUnknown, OutcomeUnknown, ServerFailed, StatusNotAvailable

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.link import Exchange, Reply

REPEATABLE = False
# How the messages about a token of the API begin that is no good, in lower case; they come before the charger is asked.
_BAD_CREDENTIALS = (
    "invalid token", "invalid signature", "token doesn't contain", "not found provider",  # version 1
    "signature verification failed", "token verification failed", "verification failed", "unknown audience",
    "issuer mismatch", "missing audience",  # version 2
)  # fmt: skip
# The newest version 2 validates the request against the JSON schema before it sends anything. The text before the last
# part repeats the request, so that only the end is matched.
_REQUIRED = re.compile(
    r"At .* - required property '(idTag|idToken|remoteStartId)' not found in object\s*", re.DOTALL
)


def start(command: Command, exchange: Exchange) -> Answer:
    connector, token = command.connector, command.token or ""
    path = f"/api/v1/ChargePoint/{quote(command.charger_id, safe='')}/RemoteStartTransaction"
    # A token that 1.6 has no room for goes in the body of 2.0.1: a 1.6 charger gets nothing of that.
    too_long = len(token) > ocpp.LONGEST_TOKEN_16
    reply = exchange.send("POST", path, ocpp.start_201(command) if too_long else ocpp.start_16(command))
    missed = _missed(reply)
    if too_long and missed == "idTag":
        return ocpp.rejected_early("token-too-long", connector)
    if missed == "idToken":
        reply = exchange.send("POST", path, ocpp.start_201(command))
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
    if reply.status == 403 or (reply.status == 400 and _bad_credentials(command, _message(reply))):
        raise readings.forbidden()
    raise readings.misunderstood(f"http-{reply.status}")


def _status_of_version_1(command: Command, listed: list[Any]) -> Answer:
    """Version 1 never lists a status, and those that are not connected without a connection, or not at all.

    The names of the members are in lower case since December 2025. The StatusNotification that is listed since then is
    not read: it is the default of the year 1899 where the charger has sent none, and of connector 0 only.
    """
    charger = next(
        (one for one in listed if one.get("identity", one.get("Identity")) == command.charger_id), None
    )
    if charger is None:
        return ocpp.offline("unknown-or-not-connected", command.connector)
    if not (charger.get("connection") or charger.get("Connection")):
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


def _missed(reply: Reply) -> str | None:
    """The member without which nothing was sent; version 1, which knows no idToken, refuses that first."""
    message = _message(reply) if reply.status == 400 else ""
    if message.startswith(
        ("Not found required key: idTag", "Missing required field 'idTag'", "Invalid key: idToken")
    ):
        return "idTag"
    if message.startswith("Missing required field 'idToken'"):
        return "idToken"
    if required := _REQUIRED.fullmatch(message):
        return "idTag" if required[1] == "idTag" else "idToken"
    return None


def _refusal(command: Command, reply: Reply) -> Answer:
    message = _message(reply)
    match reply.status:
        case 400 if message.startswith("Not found Charge Point"):
            raise _unknown()
        case 400 if message in (
            f"Charge Point {command.charger_id} not connected.",
            "Charge Point not connected.",
        ):
            return ocpp.offline("not-connected", command.connector)
        case 400 if _missed(reply):
            raise readings.unreadable("it misses a member")
        case 400 if _bad_credentials(command, message):
            raise readings.forbidden()
        case 400:  # version 1: a CALLERROR as "code: description"
            return readings.call_error(message.partition(":")[0], command.connector)
        case 403:
            raise readings.forbidden()
        case 404 if message == "Unknown API command":  # a build of version 2 that has no starts
            raise ServerFailed("no-starts", "The OCPP server has no API for starts, so nothing was started.")
        case 404 if reply.kind != "text/html":
            raise _unknown()
        case 503 if "did not respond" in message:
            raise readings.silent()
        case 503 if "not connected" in message and not message.startswith("Station unreachable"):
            return ocpp.offline("not-connected", command.connector)
        case 504:
            raise readings.silent()
        case code:
            raise readings.misunderstood(f"http-{code}")


def _bad_credentials(command: Command, message: str) -> bool:
    """Without a secret of ours these words are not the server's about it."""
    return command.server.entry.secret is not None and message.lower().startswith(_BAD_CREDENTIALS)


def _message(reply: Reply) -> str:
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else reply.text


def _unknown() -> ChargerUnknown:
    return ChargerUnknown("charger-unknown", "The OCPP server does not know this charger.")

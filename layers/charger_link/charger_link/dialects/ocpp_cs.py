"""ocpp-cs of apostoldevel, version 1 (OCPP 1.6) and 2 (1.6 and 2.0.1): https://github.com/apostoldevel/ocpp-cs

It returns the charger's own answer. Errors are ``{"error": {"code", "message"}}``. Version 1 returns 400 for nearly every error,
so that only the message distinguishes them. Version 2 returns 503 both for a charger that is not connected and for a silent one.
The body is the OCPP message's own. For a body of the other OCPP version the server sends nothing, and its error names the
missing member. Since March 2026 version 2 itself translates a body of 1.6 for a charger of 2.0.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.answer import Answer, Outcome
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect
from charger_link.errors import OutcomeUnknown, ServerFailed, StatusNotAvailable
from charger_link.limits import LIST_LIMIT, LONGEST_TOKEN_16
from charger_link.words import ERROR_CODES, STATUSES, InfoWord

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

# The beginnings, in lower case, of the messages about an invalid API token; the server returns them before it sends anything.
_BAD_CREDENTIALS = (
    "invalid token", "invalid signature", "token doesn't contain", "not found provider",  # version 1
    "signature verification failed", "token verification failed", "verification failed", "unknown audience",
    "issuer mismatch", "missing audience",  # version 2
)  # fmt: skip
# The newest version 2 validates the request against the JSON schema before it sends anything. Only the end is matched, since
# the text before it repeats the request.
_REQUIRED = re.compile(
    r"At .* - required property '(idTag|idToken|remoteStartId)' not found in object\s*", re.DOTALL
)


def start(command: Command, exchange: Exchange) -> Answer:
    connector, token = command.connector, command.token or ""
    path = f"/api/v1/ChargePoint/{quote(command.charger_id, safe='')}/RemoteStartTransaction"
    # A token that is too long for 1.6 goes in a body of 2.0.1, from which the server sends nothing to a charger of 1.6.
    too_long = len(token) > LONGEST_TOKEN_16
    reply = exchange.send("POST", path, ocpp.start_201(command) if too_long else ocpp.start_16(command))
    missing = _missing_member(reply)
    if too_long and missing == "idTag":
        return ocpp.rejected_early(InfoWord.TOKEN_TOO_LONG, connector)
    if missing == "idToken":
        reply = exchange.send("POST", path, ocpp.start_201(command))
    if reply.status != 200:
        return _refusal(command, reply)
    if isinstance(reply.json, dict) and reply.json.get("error") is True:  # version 2: a CALLERROR
        return readings.call_error(reply.json.get("errorCode"), connector)
    return readings.started(reply.json, connector)


def status(command: Command, exchange: Exchange) -> Answer:
    reply = exchange.send("GET", "/api/v1/ChargePointList", limit=LIST_LIMIT)
    listed = reply.json
    if reply.status == 200 and isinstance(listed, list):
        return _status_of_version_2(command, listed)
    if reply.status == 200 and isinstance(listed, dict) and isinstance(listed.get("ChargePointList"), list):
        return _status_of_version_1(command, listed["ChargePointList"])
    if reply.status == 403 or (reply.status == 400 and _bad_credentials(command, _message(reply))):
        raise readings.credentials_insufficient()
    raise readings.misunderstood(f"http-{reply.status}")


def _status_of_version_1(command: Command, listed: list[Any]) -> Answer:
    """Return whether the charger is offline, which is all that version 1 lists; it lists no status.

    A charger that is not connected is listed without a connection, or not at all. The names of the members are in lower case since
    December 2025. The StatusNotification that is listed since then is not read: it is a default of the year 1899 if the charger
    has sent none, and of connector 0 only.
    """
    charger = next(
        (one for one in listed if one.get("identity", one.get("Identity")) == command.charger_id), None
    )
    if charger is None:
        return ocpp.offline(InfoWord.UNKNOWN_OR_NOT_CONNECTED, command.connector)
    if not (charger.get("connection") or charger.get("Connection")):
        return ocpp.offline(InfoWord.NOT_CONNECTED, command.connector)
    detail = (
        "The charger is connected, and this OCPP server keeps no status. Send a tokenId to start a charge."
    )
    raise StatusNotAvailable("status-not-available", detail)


def _status_of_version_2(command: Command, listed: list[Any]) -> Answer:
    """Return the status of version 2, which lists every charger that ever connected with its last StatusNotification, unchanged."""
    charger = next((one for one in listed if one.get("identity") == command.charger_id), None)
    if charger is None:
        raise readings.charger_unknown()
    if not charger.get("connection"):
        return ocpp.offline(InfoWord.NOT_CONNECTED, command.connector)
    last = charger.get("statusNotification") or {}
    status = last.get("status", last.get("connectorStatus"))  # OCPP 1.6, 2.0.1
    connector = last.get("connectorId") if "status" in last else last.get("evseId")
    error_code = last.get("errorCode", "NoError")
    if (
        status not in STATUSES
        or not ocpp.is_connector(connector)
        or command.connector not in (None, connector)
    ):
        raise OutcomeUnknown("no-status", "The OCPP server keeps no status of this charger's connector.")
    return Answer(
        Outcome.STATUS, status, connector, error_code if error_code in ERROR_CODES else "OtherError"
    )


def _missing_member(reply: ServerReply) -> str | None:
    """Return the member whose absence kept the server from sending anything; None if none did.

    Version 1 has no idToken and rejects it before it looks for idTag.
    """
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


def _refusal(command: Command, reply: ServerReply) -> Answer:
    message = _message(reply)
    match reply.status:
        case 400 if message.startswith("Not found Charge Point"):
            raise readings.charger_unknown()
        case 400 if message in (
            f"Charge Point {command.charger_id} not connected.",
            "Charge Point not connected.",
        ):
            return ocpp.offline(InfoWord.NOT_CONNECTED, command.connector)
        case 400 if _missing_member(reply):
            raise readings.request_unreadable("a member is missing")
        case 400 if _bad_credentials(command, message):
            raise readings.credentials_insufficient()
        case 400:  # version 1: a CALLERROR as "code: description"
            return readings.call_error(message.partition(":")[0], command.connector)
        case 403:
            raise readings.credentials_insufficient()
        case 404 if message == "Unknown API command":  # a build of version 2 that has no starts
            raise ServerFailed("no-starts", "The OCPP server has no API for starts, so nothing was started.")
        case 404 if reply.kind != "text/html":
            raise readings.charger_unknown()
        case 503 if "did not respond" in message:
            raise readings.silent()
        case 503 if "not connected" in message and not message.startswith("Station unreachable"):
            return ocpp.offline(InfoWord.NOT_CONNECTED, command.connector)
        case 504:
            raise readings.silent()
        case code:
            raise readings.misunderstood(f"http-{code}")


def _bad_credentials(command: Command, message: str) -> bool:
    """Return whether the server rejects the credentials. Without a secret in the entry, such a message means something else."""
    return command.server.entry.secret is not None and message.lower().startswith(_BAD_CREDENTIALS)


def _message(reply: ServerReply) -> str:
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else reply.text


DIALECT = Dialect(
    name="ocpp-cs",
    health_path="/api/v1/ping",  # no command of a charge point
    wait=60.0,  # version 2 waits 30 s; version 1 has no limit
    delivery=60.0,
    default_connector=1,  # many chargers of OCPP 1.6 reject a start without one
    # It translates a body of OCPP 1.6 with the number 1, and passes ours on only with a token that is too long for 1.6.
    carries_remote_start_id=False,
    start=start,
    status=status,
)

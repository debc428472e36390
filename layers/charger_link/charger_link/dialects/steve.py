"""SteVe, OCPP 1.6, from release 3.11 on: https://github.com/steve-community/steve

A response with status 200 lists the charger under the result of SteVe's task; the status alone proves nothing.
A check that fails before SteVe sends anything is a 400, and only the message distinguishes the checks.
Observed on 3.14.1 and on commit 38b299a149c6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from charger_link import ocpp
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect, load_later
from charger_link.errors import ServerFailed, ServerRefused
from charger_link.limits import LONGEST_TOKEN_16
from charger_link.words import InfoWord

if TYPE_CHECKING:
    from charger_link.answer import Answer
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

_RECORDS = "charger_link.dialects.steve_records"
_RESULTS = ("successResponses", "errorResponses", "exceptions")
_TOKEN = re.compile(r"[a-zA-Z0-9.:_#-]+")  # SteVe's own rule
# The message if the charger is unknown or not connected, or has another spelling.
NO_STATIONS = "No stations are eligible for communication"
# The message if the charger has just disconnected; SteVe throws it before it sends anything.
NO_SESSION = "No session context for chargeBoxId"
# A charger's answer that SteVe could not read. It begins with the first bracket of the message.
RAW_ANSWER = re.compile(r'[^\[]*\[\s*(?:(3)\s*,|4\s*,\s*"(?:[^"\\]|\\.)*"\s*,\s*"([^"\\]*)")')


def start(command: Command, exchange: Exchange) -> Answer:
    token = command.token or ""
    if len(token) > LONGEST_TOKEN_16:
        return ocpp.rejected_early(InfoWord.TOKEN_TOO_LONG, command.connector)
    if not _TOKEN.fullmatch(token):
        return ocpp.rejected_early(InfoWord.NOT_SUPPORTED, command.connector, "a character of the token")
    payload: dict[str, Any] = {"chargeBoxIdList": [command.charger_id], "idTag": token}
    if command.connector is not None:
        payload["connectorId"] = command.connector
    reply = exchange.send("POST", "/operations/RemoteStartTransaction", payload)
    if reply.status == 200:
        return _result(command, reply.json)
    return _refusal(command, reply)


def _result(command: Command, task: Any) -> Answer:
    connector = command.connector
    if not isinstance(task, dict):
        raise readings.misunderstood("shape")
    match find_result(command.charger_id, task):
        case "successResponses", success:
            return readings.started({"status": success.get("response")}, connector)
        case "errorResponses", error:
            return readings.call_error(error.get("errorCode"), connector)
        case "exceptions", exception:
            return _exception(command, str(exception.get("exceptionMessage")))
    raise readings.silent()


def find_result(charger: str, task: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the name of the list that holds the charger, and its entry there; None if no list does.

    SteVe compares the id of a SOAP charger without case and returns its database's spelling.
    """
    results = [(name, task[name]) for name in _RESULTS if isinstance(task.get(name), list)]
    listed = [(name, one) for name, some in results for one in some if isinstance(one, dict)]
    for name, one in listed:
        if one.get("chargeBoxId") == charger:
            return name, one
    if len(listed) == 1:
        spelling = listed[0][1].get("chargeBoxId")
        if isinstance(spelling, str) and spelling.casefold() == charger.casefold():
            return listed[0]
    return None


def _exception(command: Command, message: str) -> Answer:
    """Return the answer if SteVe could not send the start, or could not read the charger's answer to it."""
    if message.startswith(NO_SESSION):
        return ocpp.offline(InfoWord.NOT_CONNECTED, command.connector)
    if message.startswith("This operation is for one station only"):
        raise _several_stations()
    if found := RAW_ANSWER.match(message):
        if found[1]:  # a CALLRESULT with a status that SteVe does not know
            raise readings.misunderstood("status")
        return readings.call_error(found[2], command.connector)
    raise readings.misunderstood("exception")


def _refusal(command: Command, reply: ServerReply) -> Answer:
    message = reply.member("message")
    match reply.status:
        case 400 if message.startswith(NO_STATIONS):
            return ocpp.offline(InfoWord.UNKNOWN_OR_NOT_CONNECTED, command.connector)
        case 400 if message.startswith("Requested OCPP Tag is not eligible"):
            # SteVe returns the same while its database fails, and while the tag has another transaction.
            return ocpp.rejected_early(InfoWord.TOKEN_REFUSED, command.connector)
        case 400 if message.startswith("This operation is for one station only"):
            raise _several_stations()
        case 400 if message.startswith("Error understanding the request"):
            raise readings.request_unreadable("this release of SteVe may take other tokens or connectors")
        case 302 if is_sign_in(reply):
            detail = "The OCPP server asks for credentials, so nothing was started: name a secret in its LinkServers entry."
            raise ServerRefused("no-credentials", detail)
        case 403 | 404 if is_missing_path(reply):
            detail = (
                "SteVe has no starts at this path, so nothing was started: look at basePath in LinkServers, "
                "and use SteVe 3.11 or later."
            )
            raise ServerFailed("no-such-path", detail)
    raise readings.misunderstood(f"http-{reply.status}")


def is_sign_in(reply: ServerReply) -> bool:
    """Return whether SteVe redirects to the page where its web users sign in."""
    path = urlsplit(reply.headers.get("location", "")).path
    return path.partition(";")[0].endswith("/manager/signin")


def is_missing_path(reply: ServerReply) -> bool:
    """Return whether a 403 or 404 is SteVe's own, for a path that it does not have: a page, or an error as JSON."""
    body = reply.json
    return reply.kind == "text/html" or (
        isinstance(body, dict) and body.get("status") == reply.status and {"timestamp", "path"} <= body.keys()
    )


def _several_stations() -> ServerFailed:
    detail = "SteVe has several charge boxes for this id, so nothing was started."
    return ServerFailed("several-stations", detail)


DIALECT = Dialect(
    name="steve",
    health_path="/operations",  # no such path: 403, or 302 without credentials
    wait=30.0,
    delivery=120.0,
    base_path="/steve/api/v1",
    default_connector=1,  # many chargers of OCPP 1.6 reject a start without one
    carries_remote_start_id=False,  # it has OCPP 1.6 alone
    start=start,
    status=None,  # it has no endpoint for the status of a connection or a connector
    find=load_later(_RECORDS, "find"),
    read_transaction=load_later(_RECORDS, "read_transaction"),
    stop=load_later(_RECORDS, "stop"),
)

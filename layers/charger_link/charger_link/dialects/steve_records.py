"""What SteVe's records say of a start, and the stop of a transaction.

SteVe keeps no id of ours: a search returns the transactions of a charge box within a period, and the caller decides which of
them may be the start's. ``/transactions`` has no paging. Observed on 3.14.1 and on commit 38b299a149c6.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from charger_link.dialects import readings, steve
from charger_link.dialects.timestamps import format_timestamp, parse_optional, parse_timestamp
from charger_link.errors import LinkError, ServerFailed, ServerRefused
from charger_link.limits import LIST_LIMIT
from charger_link.ocpp import info, is_connector
from charger_link.records import Found, Stop
from charger_link.words import REFUSALS, InfoWord
from common.remote_start.transaction import Transaction

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

_NOT_ACTIVE = "This transaction is not active at this station"


def find(command: Command, since: float, until: float, exchange: Exchange) -> Found:
    first = math.floor(since)
    last = max(math.ceil(until), first + 1)  # SteVe returns 400 unless the end is later than the beginning
    period = {"periodType": "FROM_TO", "from": format_timestamp(first), "to": format_timestamp(last)}
    return Found(tuple(_read_rows(command, exchange, period)))


def read_transaction(command: Command, transaction_id: str, exchange: Exchange) -> Transaction | None:
    rows = _read_rows(command, exchange, {"transactionPk": transaction_id})
    return next((row for row in rows if row.id == transaction_id), None)


def stop(command: Command, transaction: Transaction, exchange: Exchange) -> Stop:
    payload = {"chargeBoxIdList": [command.charger_id], "transactionId": int(transaction.id)}
    reply = exchange.send("POST", "/operations/RemoteStopTransaction", payload)
    if reply.status == 200:
        return _read_task(command, reply.json)
    message = reply.member("message")
    match reply.status:
        case 400 if message.startswith(_NOT_ACTIVE):  # it has ended, is unknown, or is another charger's
            now = read_transaction(command, transaction.id, exchange)
            ended = now is not None and now.stopped_at is not None
            return Stop("Accepted", InfoWord.ALREADY_STOPPED) if ended else Stop("Rejected")
        case 400 if message.startswith(steve.NO_STATIONS):
            return Stop("Unavailable", InfoWord.UNKNOWN_OR_NOT_CONNECTED)
        case 400 if message.startswith("Error understanding the request"):
            raise ServerFailed(
                "unreadable", "SteVe could not read the stop, so the charger did not receive it."
            )
    raise _error(reply)


def _read_task(command: Command, task: Any) -> Stop:
    """Return the charger's answer from the result of SteVe's task."""
    if not isinstance(task, dict):
        raise readings.misunderstood("shape")
    match steve.find_result(command.charger_id, task):
        case "successResponses", {"response": "Accepted" | "Rejected" as status}:
            return Stop(status)
        case "errorResponses", error:
            return _read_call_error(error.get("errorCode"))
        case "exceptions", {"exceptionMessage": str(message)}:
            if message.startswith(steve.NO_SESSION):
                return Stop("Unavailable", InfoWord.NOT_CONNECTED)
            raw = steve.RAW_ANSWER.match(message)
            if raw and not raw[1]:
                return _read_call_error(raw[2])
            raise readings.misunderstood("exception")
        case None:
            raise readings.silent()
    raise readings.misunderstood("status")


def _read_call_error(code: Any) -> Stop:
    """Return the charger's refusal to stop, if that is what its CALLERROR means."""
    if isinstance(code, str) and code in REFUSALS:
        return Stop("Rejected", info(InfoWord.NOT_SUPPORTED, code))
    raise readings.misunderstood("call-error")


def _read_rows(command: Command, exchange: Exchange, parameters: dict[str, str]) -> list[Transaction]:
    """Return the transactions of the command's charge box that the parameters select.

    Raises
    ------
    OutcomeUnknown
        The reply, or a row that may be about this charge box, is not understood. Without the row, another transaction
        could seem to be the only one.
    """
    query = urlencode({"type": "ALL", "chargeBoxId": command.charger_id, **parameters})
    reply = exchange.send("GET", f"/transactions?{query}", limit=LIST_LIMIT)
    if reply.status != 200:
        raise _error(reply)
    if not isinstance(reply.json, list) or not all(isinstance(row, dict) for row in reply.json):
        raise readings.misunderstood("shape")
    return [_read_row(row) for row in reply.json if not _is_of_another_station(command, row)]


def _is_of_another_station(command: Command, row: dict[str, Any]) -> bool:
    station = row.get("chargeBoxId")
    return isinstance(station, str) and station.casefold() != command.charger_id.casefold()


def _read_row(row: dict[str, Any]) -> Transaction:
    match row:
        case {
            "id": int(number),
            "chargeBoxId": str(station),
            "ocppIdTag": str(token),
            "connectorId": connector,
            "startTimestamp": started,
        } if type(number) is int and is_connector(connector):
            try:
                times = parse_timestamp(started), parse_optional(row.get("stopTimestamp"))
            except ValueError:
                raise readings.misunderstood("types") from None
            return Transaction(str(number), station, token, connector, *times)
    raise readings.misunderstood("types")


def _error(reply: ServerReply) -> LinkError:
    match reply.status:
        case 302 if steve.is_sign_in(reply):
            detail = "The OCPP server asks for credentials: name a secret in its LinkServers entry."
            return ServerRefused("no-credentials", detail)
        case 403 | 404 if steve.is_missing_path(reply):
            return ServerFailed("no-such-path", "SteVe does not have the requested path.")
    return readings.misunderstood(f"http-{reply.status}")

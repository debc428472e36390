"""CitrineOS: the transaction that a station named in its answer to a start, and the stop of it. OCPP 2.0.1 only.

The REST API returns a transaction by its id and cannot search by anything that a start knows. A stop is answered twice, as a
start is. A row has ``isActive`` and ``remoteStartId``; not every release has ``startTime`` and ``endTime``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from charger_link import ocpp
from charger_link.answer import Published
from charger_link.dialects import citrineos, readings
from charger_link.dialects.timestamps import parse_optional
from charger_link.errors import OutcomeUnknown, ServerFailed
from charger_link.records import Stop
from charger_link.words import REFUSALS, InfoWord
from common.remote_start import remote_start_id
from common.remote_start.transaction import Transaction

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange

_STOP = "/ocpp/2.0.1/evdriver/requestStopTransaction"
_TRANSACTION = "/data/transactions/transaction"


def read_transaction(command: Command, transaction_id: str, exchange: Exchange) -> Transaction | None:
    query = {
        "tenantId": command.server.entry.tenant,
        "stationId": command.charger_id,
        "transactionId": transaction_id,
    }
    reply = exchange.send("GET", f"{_TRANSACTION}?{urlencode(query)}")
    if reply.status == 403:
        raise readings.credentials_insufficient()
    if reply.status != 200:
        raise readings.misunderstood(f"http-{reply.status}")
    if reply.text in ("", "null"):
        return None
    match reply.json:
        case {"transactionId": str(id_), "stationId": str(station), "isActive": bool(active), **row}:
            if id_ != transaction_id or row.get("remoteStartId") not in (None, remote_start_id(command.id)):
                return None  # another start's
            started, ended = _read_time(row.get("startTime")), _read_time(row.get("endTime"))
            if active:
                return Transaction(id_, station, None, None, started, None)
            ended = ended or _read_time(row.get("updatedAt"))
            if ended is not None:
                return Transaction(id_, station, None, None, started, ended)
    raise readings.misunderstood("shape")


def stop(command: Command, transaction: Transaction, exchange: Exchange) -> Stop | Published:
    if command.callback_url is None:
        raise ServerFailed(
            "no-callback-url",
            "The service does not know its own address, at which this OCPP server would answer.",
        )
    path = f"{_STOP}?{citrineos.callback_query(command)}"
    try:
        reply = exchange.send("POST", path, {"transactionId": transaction.id})
    except OutcomeUnknown as failure:  # published or not; a callback arrives if it was
        return Published(failure)
    declined = citrineos.read_declined(reply)
    if declined is None:
        return Published()
    if citrineos.OTHER_VERSION.match(declined):
        raise ServerFailed("version", "The charger changed its OCPP version meanwhile; nothing was sent.")
    answer = citrineos.read_refusal(command, declined)
    return Stop("Unavailable", answer.info)


def read_stop_callback(body: Any) -> Stop:
    """Return the charger's answer to a stop, from the body that CitrineOS posts to the callback URL.

    Raises
    ------
    OutcomeUnknown
        The body is no definite answer.
    """
    match body:
        case {"_errorCode": str(code)} if code in REFUSALS:
            return Stop("Rejected", ocpp.info(InfoWord.NOT_SUPPORTED, code))
        case {"_errorCode": _}:
            raise readings.misunderstood("call-error")
        case {"status": "Accepted" | "Rejected" as status}:
            return Stop(status)
    raise readings.misunderstood("status")


def _read_time(text: Any) -> float | None:
    """Return a time of a row; None if the row has none that can be read."""
    try:
        return parse_optional(text)
    except ValueError:
        return None

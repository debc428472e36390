"""The native dialect: docs/native-link.openapi.yaml.

The server stores the id before it sends anything, so the same request may be sent again.
Its errors are problem documents. An error without that content type comes from something in between, such as a proxy, and says
nothing about the charger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from charger_link import ocpp
from charger_link.answer import Answer, Outcome
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect, load_later
from charger_link.errors import (
    LinkError,
    OutcomeUnknown,
    ServerBusy,
    ServerFailed,
)
from charger_link.words import ERROR_CODES, STATUSES, TAKEN, InfoWord
from common.transport.retry_after import retry_after

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

PROBLEM = "application/problem+json"
_RETRY_AFTER = 5  # seconds, if the server names none
_MAX_RETRY_AFTER = 3600
_RECORDS = "charger_link.dialects.native_records"
_NOT_FINAL = (
    "An earlier try may have reached the OCPP server, and its rejection of this one may not be the charger's; "
    "the charger may start all the same."
)


def start(command: Command, exchange: Exchange) -> Answer:
    payload: dict[str, object] = {"tokenId": command.token}
    if command.connector is not None:
        payload["connectorId"] = command.connector
    reply = exchange.send("PUT", connection_path(command), payload, wait=True)
    if is_problem(reply, 409, "id-stopped"):  # by an earlier DELETE; this PUT started nothing
        return ocpp.cancelled(command.connector)
    answer = read_result(command, _body(reply))
    if answer.outcome is Outcome.REJECTED:
        provisional = not _is_chargers_own(answer.info)
        if exchange.doubt and provisional:
            raise OutcomeUnknown("rejected", _NOT_FINAL)
        return answer._replace(provisional=provisional)
    return answer


def read_result(command: Command, body: Any) -> Answer:
    """Return the answer to a start, from the body of a PUT's response or as the server's record has it.

    Raises
    ------
    OutcomeUnknown
        The body is no such answer.
    """
    answer = _read_answer(command, body)
    if answer.status == "Rejected":
        return answer.with_outcome(Outcome.REJECTED)
    if answer.status == "Unavailable":
        return answer.with_outcome(Outcome.OFFLINE)
    if answer.status in TAKEN:
        return answer.with_outcome(Outcome.ACCEPTED)
    raise readings.misunderstood("status")


def status(command: Command, exchange: Exchange) -> Answer:
    query = f"?connectorId={command.connector}" if command.connector is not None else ""
    answer = _read_answer(command, _body(exchange.send("GET", _charger(command) + query, wait=True)))
    if answer.status not in STATUSES:
        raise readings.misunderstood("status")
    return (
        answer.with_outcome(Outcome.OFFLINE)
        if (answer.info or "").startswith(InfoWord.NOT_CONNECTED)
        else answer
    )


def _is_chargers_own(info: str | None) -> bool:
    """Return whether a rejection is the charger's.

    The server may not have stored a rejection of its own under the id. An earlier request that arrives later would then start
    the charge.
    """
    return not info or info.partition(" ")[0] == InfoWord.CHARGER_REFUSED


def connection_path(command: Command) -> str:
    """Return the path of the start with the command's id."""
    return f"{_charger(command)}/connections/{command.id}"


def is_problem(reply: ServerReply, status_code: int, type_end: str) -> bool:
    """Return whether the reply is a problem document whose type ends with `type_end`."""
    return reply.status == status_code and reply.kind == PROBLEM and reply.member("type").endswith(type_end)


def _charger(command: Command) -> str:
    return f"/api/v1/chargers/{quote(command.charger_id, safe='')}"


def _body(reply: ServerReply) -> Any:
    if reply.status != 200:
        raise _error(reply)
    return reply.json


def _read_answer(command: Command, body: Any) -> Answer:
    if not isinstance(body, dict) or body.get("chargerId") != command.charger_id:
        raise readings.misunderstood("charger")
    connector, info = body.get("connectorId", 0), body.get("info")
    error_code = body.get("errorCode", "NoError")
    if not ocpp.is_connector(connector):
        raise readings.misunderstood("types")
    if not isinstance(error_code, str) or error_code not in ERROR_CODES:
        raise readings.misunderstood("types")
    if not isinstance(info, str | None) or not isinstance(body.get("status"), str):
        raise readings.misunderstood("types")
    return Answer(Outcome.STATUS, body["status"], connector, error_code, info)


def _error(reply: ServerReply) -> LinkError:
    if reply.kind != PROBLEM:
        return readings.misunderstood(f"http-{reply.status}")
    match reply.status:
        case 404 if is_problem(reply, 404, "no-such-resource"):
            return ServerFailed(
                "no-such-path",
                "The OCPP server has nothing at the requested path, so nothing was started: look at basePath in LinkServers.",
            )
        case 404:
            return readings.charger_unknown()
        case 429 | 503:
            return ServerBusy(
                "busy",
                "The OCPP server cannot take the call now; nothing was sent.",
                retry_after=read_retry_after(reply),
            )
        case 403:
            return readings.credentials_insufficient()
        case 504:
            return readings.silent()
        case code if 400 <= code < 500:
            return ServerFailed(f"http-{code}", "The OCPP server declined the request; nothing was started.")
        case code:
            return OutcomeUnknown(
                f"http-{code}", "The OCPP server failed; whether the charger starts is not known."
            )


def read_retry_after(reply: ServerReply) -> int:
    """Return the seconds of the header Retry-After, or a short wait if the server sends none that can be read."""
    given = reply.headers.get("retry-after", "")
    if not (given.isascii() and given.isdecimal()):
        return _RETRY_AFTER
    return retry_after(min(int(given), _MAX_RETRY_AFTER))


DIALECT = Dialect(
    name="native",
    health_path="/api/v1/chargers",  # no such resource: 404
    wait=25.0,  # the longest wait that the service requests; the server sends nothing after it
    delivery=120.0,
    repeatable=True,
    carries_remote_start_id=True,
    start=start,
    status=status,
    find=load_later(_RECORDS, "find"),
    stop=load_later(_RECORDS, "stop"),
    stops_by_id=True,
)

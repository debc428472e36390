"""The native dialect: docs/native-link.openapi.yaml.

The server stores the id before it sends anything, so the same request may be sent again.
Its errors are problem documents. An error without that content type comes from something in between, such as a proxy, and says
nothing about the charger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from charger_link import ocpp
from charger_link.answer import Answer, Outcome
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect
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

_RETRY_AFTER = 5  # seconds, if the server names none
_MAX_RETRY_AFTER = 3600
_NOT_FINAL = (
    "An earlier try may have reached the OCPP server, and its rejection of this one may not be the charger's; "
    "the charger may start all the same."
)


def start(command: Command, exchange: Exchange) -> Answer:
    payload: dict[str, object] = {"tokenId": command.token}
    if command.connector is not None:
        payload["connectorId"] = command.connector
    reply = exchange.send("PUT", f"{_charger(command)}/connections/{command.id}", payload, wait=True)
    answer = _answer(command, reply)
    if answer.status == "Rejected":
        provisional = not _is_chargers_own(answer.info)
        if exchange.doubt and provisional:
            raise OutcomeUnknown("rejected", _NOT_FINAL)
        return answer.with_outcome(Outcome.REJECTED)._replace(provisional=provisional)
    if answer.status == "Unavailable":
        return answer.with_outcome(Outcome.OFFLINE)
    if answer.status in TAKEN:
        return answer.with_outcome(Outcome.ACCEPTED)
    raise readings.misunderstood("status")


def status(command: Command, exchange: Exchange) -> Answer:
    query = f"?connectorId={command.connector}" if command.connector is not None else ""
    answer = _answer(command, exchange.send("GET", _charger(command) + query, wait=True))
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


def _charger(command: Command) -> str:
    return f"/api/v1/chargers/{quote(command.charger_id, safe='')}"


def _answer(command: Command, reply: ServerReply) -> Answer:
    if reply.status != 200:
        raise _error(reply)
    body = reply.json
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
    if reply.kind != "application/problem+json":
        return readings.misunderstood(f"http-{reply.status}")
    match reply.status:
        case 404 if reply.member("type").endswith("no-such-resource"):
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
                retry_after=_retry_after(reply),
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


def _retry_after(reply: ServerReply) -> int:
    given = reply.headers.get("retry-after", "")
    if not (given.isascii() and given.isdecimal()):
        return _RETRY_AFTER
    return retry_after(min(int(given), _MAX_RETRY_AFTER))


DIALECT = Dialect(
    name="native",
    health_path="/api/v1/chargers",  # no such resource: 404
    repeatable=True,
    carries_remote_start_id=True,
    start=start,
    status=status,
)

"""CitrineOS, OCPP 1.6 and 2.0.1: https://github.com/citrineos/citrineos-core

It answers twice: its response says that the start is published, and later it posts the charger's own payload to the callback
URL. That body names neither charger nor request; only the URL identifies them.
The path names the OCPP version. For the wrong version CitrineOS sends nothing, and its response names the right one.
``{"success": false}`` without a ``payload`` means that the message is queued although the buffer of the connection to the
message broker is full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from charger_link import masking, ocpp
from charger_link.answer import Outcome, Published
from charger_link.dialects import readings
from charger_link.dialects.dialect import Dialect, load_later
from charger_link.errors import OutcomeUnknown, ServerBusy, ServerFailed
from charger_link.limits import LONGEST_TOKEN_16
from charger_link.words import InfoWord
from common.remote_start.transaction import Transaction

if TYPE_CHECKING:
    from charger_link.answer import Answer
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

_RECORDS = "charger_link.dialects.citrineos_records"
_PATHS = {
    "1.6": "/ocpp/1.6/evdriver/remoteStartTransaction",
    "2.0.1": "/ocpp/2.0.1/evdriver/requestStartTransaction",
}
_PAYLOADS = {"1.6": ocpp.start_16, "2.0.1": ocpp.start_201}
OTHER_VERSION = re.compile(r"Requested protocol: '[^']*', connection protocol: 'ocpp([^']*)'")
_MAX_VERSIONS = 4096
_LONGEST_TRANSACTION_ID = 36  # characters: an identifierString of OCPP 2.0.1
# CitrineOS raises these before it publishes anything: its message broker is down, or was down until now.
_NOT_PUBLISHED = frozenset(
    {
        "RabbitMQ is down: cannot unsubscribe.",
        "Channel closed",
        "Circuit breaker is CLOSED. Cannot send message.",
    }
)
_RETRY_AFTER = 5  # seconds

# The OCPP version by server and charger, for the life of the process: each charger costs at most one wrong path.
_versions: dict[tuple[str, str], str] = {}


def start(command: Command, exchange: Exchange) -> Answer | Published:
    if command.callback_url is None:
        raise ServerFailed(
            "no-callback-url",
            "The service does not know its own address, at which this OCPP server would answer: set CallbackBaseUrl.",
        )
    too_long = len(command.token or "") > LONGEST_TOKEN_16
    # A token that is too long for 1.6 goes to the path of 2.0.1, from which CitrineOS sends nothing to a charger of 1.6.
    version = "2.0.1" if too_long else _versions.get((command.server.name, command.charger_id), "1.6")
    for _ in _PATHS:
        try:
            reply = exchange.send(
                "POST", f"{_PATHS[version]}?{callback_query(command)}", _PAYLOADS[version](command)
            )
        except OutcomeUnknown as failure:  # published or not; a callback arrives if it was
            return Published(failure)
        declined = read_declined(reply)
        if declined is None:
            return Published()
        found = OTHER_VERSION.match(declined)
        if found is None:
            return read_refusal(command, declined)
        version = found[1]
        if version not in _PATHS:
            return ocpp.rejected_early(InfoWord.NOT_SUPPORTED, command.connector, f"OCPP {version}")
        _remember(command, version)
        if too_long and version == "1.6":
            return ocpp.rejected_early(InfoWord.TOKEN_TOO_LONG, command.connector)
    raise ServerFailed(
        "version",
        "The charger changed its OCPP version meanwhile; nothing was sent. Try again with the same id.",
    )


def read_callback(body: Any, connector: int | None) -> Answer:
    """Return the charger's answer to a start, from the body that CitrineOS posts to the callback URL.

    Raises
    ------
    OutcomeUnknown
        The body is no definite answer.
    """
    if isinstance(body, dict) and "_errorCode" in body:
        return readings.call_error(body["_errorCode"], connector)
    answer = readings.started(body, connector)
    # A charger may repeat the token in place of a reason, and the token is not known here.
    return answer._replace(
        info=masking.without_text(answer.info), transaction=_read_transaction(answer, body, connector)
    )


def _read_transaction(answer: Answer, body: Any, connector: int | None) -> Transaction | None:
    """Return the charge that a station of OCPP 2.0.1 names in its acceptance; the body names no station."""
    id_ = body.get("transactionId")
    if answer.outcome is not Outcome.ACCEPTED or not isinstance(id_, str):
        return None
    if not 0 < len(id_) <= _LONGEST_TRANSACTION_ID:
        return None
    return Transaction(id_, "", None, connector, None, None)


def callback_query(command: Command) -> str:
    """Return the query of a request whose answer CitrineOS posts to the command's callback URL."""
    return urlencode(
        {
            "identifier": command.charger_id,
            "tenantId": command.server.entry.tenant,
            "callbackUrl": command.callback_url,
        }
    )


def read_declined(reply: ServerReply) -> str | None:
    """Return why the request was not published; None if it was."""
    match reply.status, reply.json:
        case 200, [{"success": True}]:
            return None
        case 200, [{"success": False, **rest}] if not rest:
            return None
        case 200, [{"success": False, "payload": str(why)}]:
            return why
        case 500, {"message": str(why)} if why in _NOT_PUBLISHED:
            return why
        case 400, {"code": "FST_ERR_VALIDATION"}:
            raise readings.request_unreadable("it does not follow the schema of the OCPP message")
        case 403, _:
            raise readings.credentials_insufficient()
    raise readings.misunderstood(f"http-{reply.status}")


def read_refusal(command: Command, why: str) -> Answer:
    """Return the answer for a station that is not connected; raise for any other reason why nothing was published."""
    if why.startswith("No connection found for identifier"):
        return ocpp.offline(InfoWord.UNKNOWN_OR_NOT_CONNECTED, command.connector)
    if why in _NOT_PUBLISHED:
        raise ServerBusy(
            "busy",
            "The OCPP server cannot reach its message broker now, so nothing was sent. Try again with the same id.",
            retry_after=_RETRY_AFTER,
        )
    raise OutcomeUnknown(
        "not-published", "The OCPP server did not confirm that it will not send the request."
    )


def _remember(command: Command, version: str) -> None:
    if len(_versions) >= _MAX_VERSIONS:
        _versions.clear()
    _versions[command.server.name, command.charger_id] = version


DIALECT = Dialect(
    name="citrineos",
    health_path="/health",
    wait=30.0,
    delivery=120.0,  # one unanswered call delays the next one to the same station, by 30 s each
    default_connector=1,  # many chargers of OCPP 1.6 reject a start without one
    carries_remote_start_id=True,
    read_callback=read_callback,
    start=start,
    status=None,  # its API for messages has no such request, and a TriggerMessage can break the charger's own start
    # It cannot search for the transaction of a start; only the start's answer may name one.
    find=None,
    read_transaction=load_later(_RECORDS, "read_transaction"),
    stop=load_later(_RECORDS, "stop"),
    read_stop_callback=load_later(_RECORDS, "read_stop_callback"),
)

"""CitrineOS, OCPP 1.6 and 2.0.1: https://github.com/citrineos/citrineos-core

It answers twice: at once, that the start is published, and when the charger has answered, by a POST of the charger's
own payload to the callback URL. That body names neither charger nor request: only the URL tells what it is about.
The OCPP version stands in the path; the wrong one is answered before anything is sent, with the right one.
``{"success": false}`` without a ``payload`` means that the message is queued although the buffer of the connection to the
message broker is full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from charger_link import ocpp
from charger_link.command import Published
from charger_link.dialects import readings
from charger_link.errors import OutcomeUnknown, ServerBusy, ServerFailed

if TYPE_CHECKING:
    from charger_link.command import Answer, Command
    from charger_link.link import Exchange, Reply

REPEATABLE = False
status = None  # its API for messages has none, and a TriggerMessage can break the charger's own start
_PATHS = {
    "1.6": "/ocpp/1.6/evdriver/remoteStartTransaction",
    "2.0.1": "/ocpp/2.0.1/evdriver/requestStartTransaction",
}
_PAYLOADS = {"1.6": ocpp.start_16, "2.0.1": ocpp.start_201}
_OTHER_VERSION = re.compile(r"Requested protocol: '[^']*', connection protocol: 'ocpp([^']*)'")
_MOST_VERSIONS = 4096
# CitrineOS raises these before it publishes anything: its message broker is down, or was and is back.
_NOT_PUBLISHED = frozenset(
    {
        "RabbitMQ is down: cannot unsubscribe.",
        "Channel closed",
        "Circuit breaker is CLOSED. Cannot send message.",
    }
)
_RETRY_AFTER = 5  # seconds

# The OCPP version of chargers met, by server and charger: one wrong path each, for the life of the process.
_versions: dict[tuple[str, str], str] = {}


def start(command: Command, exchange: Exchange) -> Answer | Published:
    if command.callback_url is None:
        raise ServerFailed(
            "no-callback-url",
            "The service does not know its own address, at which this OCPP server would answer: set CallbackBaseUrl.",
        )
    too_long = len(command.token or "") > ocpp.LONGEST_TOKEN_16
    # A token that 1.6 has no room for goes to the path of 2.0.1: a 1.6 charger gets nothing from there.
    version = "2.0.1" if too_long else _versions.get((command.server.name, command.charger_id), "1.6")
    for _ in _PATHS:
        try:
            reply = exchange.send("POST", f"{_PATHS[version]}?{_query(command)}", _PAYLOADS[version](command))
        except OutcomeUnknown as failure:  # published or not: a callback tells, if it was
            return Published(failure)
        declined = _declined(reply)
        if declined is None:
            return Published()
        found = _OTHER_VERSION.match(declined)
        if found is None:
            return _refusal(command, declined)
        version = found[1]
        if version not in _PATHS:
            return ocpp.rejected_early("not-supported", command.connector, f"OCPP {version}")
        _remember(command, version)
        if too_long and version == "1.6":
            return ocpp.rejected_early("token-too-long", command.connector)
    raise ServerFailed(
        "version", "The charger changed its OCPP version meanwhile; nothing was sent. Try again."
    )


def callback(body: Any, connector: int | None) -> Answer:
    """What the charger answered to a start, from the body that CitrineOS posts to the callback URL.

    Raises
    ------
    OutcomeUnknown
        It is no definite answer.
    """
    if isinstance(body, dict) and "_errorCode" in body:
        return readings.call_error(body["_errorCode"], connector)
    return readings.started(body, connector)


def _query(command: Command) -> str:
    return urlencode(
        {
            "identifier": command.charger_id,
            "tenantId": command.server.entry.tenant,
            "callbackUrl": command.callback_url,
        }
    )


def _declined(reply: Reply) -> str | None:
    """Why the start was not published; None where it was."""
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
            raise readings.unreadable("it does not follow the schema of the OCPP message")
        case 403, _:
            raise readings.forbidden()
    raise readings.misunderstood(f"http-{reply.status}")


def _refusal(command: Command, why: str) -> Answer:
    if why.startswith("No connection found for identifier"):
        return ocpp.offline("unknown-or-not-connected", command.connector)
    if why in _NOT_PUBLISHED:
        raise ServerBusy(
            "busy",
            "The OCPP server cannot reach its message broker now, so nothing was sent. Try again with the same id.",
            retry_after=_RETRY_AFTER,
        )
    raise OutcomeUnknown("not-published", "The OCPP server could not say that the start will not be sent.")


def _remember(command: Command, version: str) -> None:
    if len(_versions) >= _MOST_VERSIONS:
        _versions.clear()
    _versions[command.server.name, command.charger_id] = version

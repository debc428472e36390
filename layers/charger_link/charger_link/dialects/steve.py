"""SteVe, OCPP 1.6, from release 3.11 on: https://github.com/steve-community/steve

Its answer lists the charger under what became of the task; 200 alone says nothing. Checks that fail before the
charger is asked are 400, told apart by their message only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charger_link import ocpp
from charger_link.dialects import readings

if TYPE_CHECKING:
    from charger_link.command import Answer, Command
    from charger_link.link import Exchange, Reply

REPEATABLE = False
HEALTH_PATH = "/operations"  # no such path: 403, or 302 without credentials
status = None  # it has no endpoint for the status of a connection or a connector


def start(command: Command, exchange: Exchange) -> Answer:
    token = command.token or ""
    if len(token) > ocpp.LONGEST_TOKEN_16:
        return ocpp.rejected("token-too-long", command.connector)
    payload: dict[str, Any] = {"chargeBoxIdList": [command.charger_id], "idTag": token}
    if command.connector is not None:
        payload["connectorId"] = command.connector
    reply = exchange.send("POST", "/operations/RemoteStartTransaction", payload)
    if reply.status == 200:
        return _result(command, reply.json)
    return _refusal(command, reply)


def _result(command: Command, task: Any) -> Answer:
    charger, connector = command.charger_id, command.connector
    if not isinstance(task, dict):
        raise readings.misunderstood("shape")
    if success := _of(charger, task.get("successResponses")):
        return readings.started({"status": success.get("response")}, connector)
    if error := _of(charger, task.get("errorResponses")):
        return readings.call_error(error.get("errorCode"), connector)
    if _of(charger, task.get("exceptions")):
        # Sending broke off, or over SOAP the answer did: how much had gone out is not said.
        raise readings.misunderstood("not-sent-whole")
    raise readings.silent()


def _of(charger: str, results: Any) -> dict[str, Any] | None:
    listed = results if isinstance(results, list) else []
    return next((one for one in listed if isinstance(one, dict) and one.get("chargeBoxId") == charger), None)


def _refusal(command: Command, reply: Reply) -> Answer:
    message = reply.member("message")
    if reply.status == 400 and message.startswith("No stations are eligible for communication"):
        return ocpp.offline("unknown-or-not-connected", command.connector)
    if reply.status == 400 and message.startswith("Requested OCPP Tag is not eligible"):
        return ocpp.rejected("token-refused", command.connector)
    if reply.status == 400 and message.startswith("Error understanding the request"):
        raise readings.unreadable("a token may hold letters, digits and .:_#- there")
    if reply.status == 403:
        raise readings.forbidden()
    raise readings.misunderstood(f"http-{reply.status}")

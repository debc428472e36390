"""The server's side of OCPP 2.0.1. An EVSE of OCPP is a connector of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.csms.results import CHARGING_STATES
from local.csms.version import Call, Events, Version, boot_result
from local.ocppj import Payload, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ocppj import Handler


def _start(token: str, connector: int | None, remote_start_id: int) -> Call:
    payload: Payload = {"idToken": {"idToken": token, "type": "Central"}, "remoteStartId": remote_start_id}
    if connector is not None:
        payload["evseId"] = connector
    return "RequestStartTransaction", payload


def _trigger(connector: int | None) -> Call:
    # F06.FR.12: the trigger of a StatusNotification must name one connector.
    evse = {"id": connector or 1, "connectorId": 1}
    return "TriggerMessage", {"requestedMessage": "StatusNotification", "evse": evse}


def _handlers(events: Events) -> Mapping[str, Handler]:
    async def boot_notification(_: Payload) -> Payload:
        events.booted()
        return boot_result()

    async def status_notification(payload: Payload) -> Payload:
        events.reported(payload["evseId"], payload["connectorStatus"], "NoError")
        return {}

    async def authorize(_: Payload) -> Payload:
        return {"idTokenInfo": {"status": "Accepted"}}

    async def transaction_event(payload: Payload) -> Payload:
        transaction = payload["transactionInfo"]
        if "remoteStartId" in transaction:
            status = CHARGING_STATES.get(transaction.get("chargingState", ""), "Accepted")
            events.started(transaction["remoteStartId"], payload.get("evse", {}).get("id", 0), status)
        return {"idTokenInfo": {"status": "Accepted"}} if "idToken" in payload else {}

    async def heartbeat(_: Payload) -> Payload:
        return {"currentTime": now()}

    async def acknowledge(_: Payload) -> Payload:
        return {}

    return {
        "BootNotification": boot_notification,
        "StatusNotification": status_notification,
        "Authorize": authorize,
        "TransactionEvent": transaction_event,
        "MeterValues": acknowledge,
        "NotifyEvent": acknowledge,
        "Heartbeat": heartbeat,
    }


V201 = Version(token_limit=36, start=_start, trigger=_trigger, handlers=_handlers)

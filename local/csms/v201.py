"""The server's side of OCPP 2.0.1. An EVSE of OCPP is a connector of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.csms.results import CHARGING_STATES
from local.csms.version import Begin, Call, End, Events, Version, boot_result, read_time
from local.ocppj import Payload, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ocppj import Handler


def _start(token: str, connector: int | None, remote_start_id: int) -> Call:
    payload: Payload = {"idToken": {"idToken": token, "type": "Central"}, "remoteStartId": remote_start_id}
    if connector is not None:
        payload["evseId"] = connector
    return "RequestStartTransaction", payload


def _stop(transaction: str) -> Call:
    return "RequestStopTransaction", {"transactionId": transaction}


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
        transaction, at = payload["transactionInfo"], read_time(payload["timestamp"])
        # The EVSE, the token and the remoteStartId are in the first message, and may be in the others.
        begin = Begin(
            id=transaction["transactionId"],
            connector=payload.get("evse", {}).get("id", 0),
            token=payload.get("idToken", {}).get("idToken"),
            remote_start_id=transaction.get("remoteStartId"),
            at=at,
            status=CHARGING_STATES.get(transaction.get("chargingState", ""), "Accepted"),
        )
        events.began(begin)
        if payload["eventType"] == "Ended":
            events.ended(End(begin.id or "", at, transaction.get("stoppedReason")))
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


V201 = Version(token_limit=36, start=_start, stop=_stop, trigger=_trigger, handlers=_handlers)

"""The server's side of OCPP 1.6J."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.csms.version import Begin, Call, End, Events, Version, boot_result, read_time
from local.ocppj import Payload, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ocppj import Handler


def _start(token: str, connector: int | None, _remote_start_id: int) -> Call:
    payload: Payload = {"idTag": token}
    if connector is not None:
        payload["connectorId"] = connector
    return "RemoteStartTransaction", payload


def _stop(transaction: str) -> Call:
    return "RemoteStopTransaction", {"transactionId": int(transaction)}


def _trigger(connector: int | None) -> Call:
    payload: Payload = {"requestedMessage": "StatusNotification"}
    if connector is not None:
        payload["connectorId"] = connector
    return "TriggerMessage", payload


def _handlers(events: Events) -> Mapping[str, Handler]:
    async def boot_notification(_: Payload) -> Payload:
        events.booted()
        return boot_result()

    async def status_notification(payload: Payload) -> Payload:
        events.reported(payload["connectorId"], payload["status"], payload["errorCode"])
        return {}

    async def authorize(_: Payload) -> Payload:
        return {"idTagInfo": {"status": "Accepted"}}

    async def start_transaction(payload: Payload) -> Payload:
        begin = Begin(
            id=None,
            connector=payload["connectorId"],
            token=payload["idTag"],
            remote_start_id=None,
            at=read_time(payload["timestamp"]),
            status="Charging",
            meter=payload["meterStart"],
        )
        return {"transactionId": int(events.began(begin)), "idTagInfo": {"status": "Accepted"}}

    async def stop_transaction(payload: Payload) -> Payload:
        events.ended(
            End(str(payload["transactionId"]), read_time(payload["timestamp"]), payload.get("reason"))
        )
        return {}

    async def heartbeat(_: Payload) -> Payload:
        return {"currentTime": now()}

    async def acknowledge(_: Payload) -> Payload:
        return {}

    return {
        "BootNotification": boot_notification,
        "StatusNotification": status_notification,
        "Authorize": authorize,
        "StartTransaction": start_transaction,
        "StopTransaction": stop_transaction,
        "MeterValues": acknowledge,
        "Heartbeat": heartbeat,
    }


V16 = Version(token_limit=20, start=_start, stop=_stop, trigger=_trigger, handlers=_handlers)

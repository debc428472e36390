"""The server's side of OCPP 1.6J."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from local.csms.version import Call, Events, Version, boot_result
from local.ocppj import Payload, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ocppj import Handler

# A restarted server must not assign the id of an older transaction.
_transaction_ids = itertools.count(int(time.time()))


def _start(token: str, connector: int | None, _remote_start_id: int) -> Call:
    payload: Payload = {"idTag": token}
    if connector is not None:
        payload["connectorId"] = connector
    return "RemoteStartTransaction", payload


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

    async def start_transaction(_: Payload) -> Payload:
        return {"transactionId": next(_transaction_ids), "idTagInfo": {"status": "Accepted"}}

    async def heartbeat(_: Payload) -> Payload:
        return {"currentTime": now()}

    async def acknowledge(_: Payload) -> Payload:
        return {}

    return {
        "BootNotification": boot_notification,
        "StatusNotification": status_notification,
        "Authorize": authorize,
        "StartTransaction": start_transaction,
        "StopTransaction": acknowledge,
        "MeterValues": acknowledge,
        "Heartbeat": heartbeat,
    }


V16 = Version(token_limit=20, start=_start, trigger=_trigger, handlers=_handlers)

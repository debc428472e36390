"""The differences between OCPP versions, on the charge point's side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from local.ocppj import Payload, now

if TYPE_CHECKING:
    from collections.abc import Iterator

Deliver = Callable[[str, Payload], Awaitable[Payload]]
"""Send one call, again after each reconnection until a result arrives, and return the result."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start that a charge point received. `remoteStartId` is None in OCPP 1.6; `connector` is None if the start named none."""

    charger: str
    token: str
    connector: int | None
    remoteStartId: int | None
    time: str


@dataclass(slots=True)
class Transaction:
    """A running charge. The server assigns `number` (1.6); the charge point assigns `id` and `sequence` (2.0.1)."""

    connector: int
    token: str
    remote_start_id: int | None
    number: int = 0
    id: str = field(default_factory=lambda: str(uuid4()))
    sequence: Iterator[int] = field(default_factory=count)


class Messages(Protocol):
    """The messages of one OCPP version. Statuses have the names of OCPP 1.6."""

    start_action: str

    def read_start(self, charger: str, payload: Payload) -> Start: ...

    def boot(self) -> Payload: ...

    def status(self, connector: int, status: str) -> Payload: ...

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None: ...

    async def end(self, transaction: Transaction, deliver: Deliver) -> None: ...


class V16:
    """OCPP 1.6J."""

    start_action = "RemoteStartTransaction"

    def read_start(self, charger: str, payload: Payload) -> Start:
        return Start(charger, payload["idTag"], payload.get("connectorId"), None, now())

    def boot(self) -> Payload:
        return {"chargePointVendor": "Charger Connect", "chargePointModel": "Local"}

    def status(self, connector: int, status: str) -> Payload:
        return {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": now()}

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None:
        result = await deliver(
            "StartTransaction",
            {
                "connectorId": transaction.connector,
                "idTag": transaction.token,
                "meterStart": 0,
                "timestamp": now(),
            },
        )
        transaction.number = result.get("transactionId", 0)

    async def end(self, transaction: Transaction, deliver: Deliver) -> None:
        await deliver(
            "StopTransaction",
            {
                "transactionId": transaction.number,
                "idTag": transaction.token,
                "meterStop": 1000,
                "timestamp": now(),
                "reason": "EVDisconnected",
            },
        )


class V201:
    """OCPP 2.0.1, each EVSE with one connector."""

    start_action = "RequestStartTransaction"

    def read_start(self, charger: str, payload: Payload) -> Start:
        token = payload["idToken"]["idToken"]
        return Start(charger, token, payload.get("evseId"), payload["remoteStartId"], now())

    def boot(self) -> Payload:
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "Charger Connect", "model": "Local"}}

    def status(self, connector: int, status: str) -> Payload:
        connector_status = "Available" if status == "Available" else "Occupied"
        return {
            "timestamp": now(),
            "connectorStatus": connector_status,
            "evseId": connector,
            "connectorId": 1,
        }

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None:
        await deliver("TransactionEvent", self._event(transaction, "Started", "RemoteStart", "EVConnected"))
        await deliver(
            "TransactionEvent", self._event(transaction, "Updated", "ChargingStateChanged", "Charging")
        )

    async def end(self, transaction: Transaction, deliver: Deliver) -> None:
        await deliver("TransactionEvent", self._event(transaction, "Ended", "EVDeparted", "Idle"))

    def _event(self, transaction: Transaction, event: str, trigger: str, state: str) -> Payload:
        info: Payload = {"transactionId": transaction.id, "chargingState": state}
        payload: Payload = {
            "eventType": event,
            "timestamp": now(),
            "triggerReason": trigger,
            "seqNo": next(transaction.sequence),
            "transactionInfo": info,
            "evse": {"id": transaction.connector, "connectorId": 1},
        }
        if event == "Started":
            info["remoteStartId"] = transaction.remote_start_id
            payload["idToken"] = {"idToken": transaction.token, "type": "Central"}
        return payload


MESSAGES: dict[str, Messages] = {"1.6": V16(), "2.0.1": V201()}

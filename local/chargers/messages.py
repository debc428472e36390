"""The differences between OCPP versions, on the charge point's side."""

from __future__ import annotations

import asyncio
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
    """A charge. Times are the charge point's own: empty before it began, and None while it runs.

    The server assigns `number` (1.6; 0 until its result arrives); the charge point assigns `uuid` and `sequence` (2.0.1).
    `stop_requested` ends the charge.
    """

    connector: int
    token: str
    remote_start_id: int | None
    started_at: str = ""
    stopped_at: str | None = None
    number: int = 0
    uuid: str = field(default_factory=lambda: str(uuid4()))
    sequence: Iterator[int] = field(default_factory=count)
    stop_requested: asyncio.Event = field(default_factory=asyncio.Event)


class Messages(Protocol):
    """The messages of one OCPP version. Statuses have the names of OCPP 1.6."""

    start_action: str
    stop_action: str

    def read_start(self, charger: str, payload: Payload) -> Start: ...

    def accept(self, transaction: Transaction | None) -> Payload:
        """Return the answer to an accepted start. `transaction` is None if the charge waits for a cable."""

    def id_of(self, transaction: Transaction) -> str:
        """Return the transaction's id as text; empty if the server has not assigned one yet."""

    def boot(self) -> Payload: ...

    def status(self, connector: int, status: str) -> Payload: ...

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None: ...

    async def end(self, transaction: Transaction, deliver: Deliver) -> None: ...


class V16:
    """OCPP 1.6J. `clock` returns the charge point's time."""

    start_action = "RemoteStartTransaction"
    stop_action = "RemoteStopTransaction"

    def __init__(self, clock: Callable[[], str]) -> None:
        self._clock = clock

    def read_start(self, charger: str, payload: Payload) -> Start:
        return Start(charger, payload["idTag"], payload.get("connectorId"), None, now())

    def accept(self, transaction: Transaction | None) -> Payload:  # noqa: ARG002
        return {"status": "Accepted"}

    def id_of(self, transaction: Transaction) -> str:
        return str(transaction.number or "")

    def boot(self) -> Payload:
        return {"chargePointVendor": "Charger Connect", "chargePointModel": "Local"}

    def status(self, connector: int, status: str) -> Payload:
        return {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": self._clock(),
        }

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None:
        result = await deliver(
            "StartTransaction",
            {
                "connectorId": transaction.connector,
                "idTag": transaction.token,
                "meterStart": 0,
                "timestamp": transaction.started_at,
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
                "timestamp": transaction.stopped_at,
                "reason": "Remote" if transaction.stop_requested.is_set() else "EVDisconnected",
            },
        )


class V201:
    """OCPP 2.0.1, each EVSE with one connector. `clock` returns the charge point's time."""

    start_action = "RequestStartTransaction"
    stop_action = "RequestStopTransaction"

    def __init__(self, clock: Callable[[], str]) -> None:
        self._clock = clock

    def read_start(self, charger: str, payload: Payload) -> Start:
        token = payload["idToken"]["idToken"]
        return Start(charger, token, payload.get("evseId"), payload["remoteStartId"], now())

    def accept(self, transaction: Transaction | None) -> Payload:
        return {"status": "Accepted"} | ({"transactionId": transaction.uuid} if transaction else {})

    def id_of(self, transaction: Transaction) -> str:
        return transaction.uuid

    def boot(self) -> Payload:
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "Charger Connect", "model": "Local"}}

    def status(self, connector: int, status: str) -> Payload:
        connector_status = "Available" if status == "Available" else "Occupied"
        return {
            "timestamp": self._clock(),
            "connectorStatus": connector_status,
            "evseId": connector,
            "connectorId": 1,
        }

    async def begin(self, transaction: Transaction, deliver: Deliver) -> None:
        started = self._event(transaction, "Started", "RemoteStart", "EVConnected", transaction.started_at)
        started["transactionInfo"]["remoteStartId"] = transaction.remote_start_id
        started["idToken"] = {"idToken": transaction.token, "type": "Central"}
        await deliver("TransactionEvent", started)
        charging = self._event(transaction, "Updated", "ChargingStateChanged", "Charging", self._clock())
        await deliver("TransactionEvent", charging)

    async def end(self, transaction: Transaction, deliver: Deliver) -> None:
        remote = transaction.stop_requested.is_set()
        trigger = "RemoteStop" if remote else "EVDeparted"
        ended = self._event(transaction, "Ended", trigger, "Idle", transaction.stopped_at or self._clock())
        ended["transactionInfo"]["stoppedReason"] = "Remote" if remote else "EVDisconnected"
        await deliver("TransactionEvent", ended)

    def _event(self, transaction: Transaction, event: str, trigger: str, state: str, time: str) -> Payload:
        return {
            "eventType": event,
            "timestamp": time,
            "triggerReason": trigger,
            "seqNo": next(transaction.sequence),
            "transactionInfo": {"transactionId": transaction.uuid, "chargingState": state},
            "evse": {"id": transaction.connector, "connectorId": 1},
        }


MESSAGES: dict[str, Callable[[Callable[[], str]], Messages]] = {"1.6": V16, "2.0.1": V201}

"""What the native dialect answers about a charger, and how OCPP's answers become that."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED_STATUSES = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"})
"""Connector statuses that say more about an accepted start than `Accepted` does."""

BUSY_STATUSES = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved", "Occupied"})
"""Connector statuses under which a rejected start was most likely rejected for that."""

CHARGING_STATES = {
    "Charging": "Charging",
    "EVConnected": "Preparing",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
}
"""OCPP 2.0.1 chargingState -> the status told; any other state tells `Accepted`."""

REFUSING_ERRORS = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "SecurityError",
        "FormationViolation",
        "FormatViolation",
        "ProtocolError",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
    }
)
"""CALLERROR codes after which nothing was started. Any other code leaves that open."""

_REASONS = {"InvalidIdToken": "token-refused", "TxInProgress": "connector-busy"}
_INFO_LENGTH = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of every 200, its members named as on the wire. `connectorId` is 0 where it is not known."""

    chargerId: str
    connectorId: int
    errorCode: str
    status: str
    info: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a charger said about one connector; `at` is the event loop's time at which it came."""

    connector: int
    status: str
    error_code: str
    at: float


def accepted(charger: str, connector: int | None, reports: Mapping[int, Report], sent: float) -> Answer:
    """An accepted start: `Accepted`, or what a report that came after `sent` says of the connector asked for.

    Where none was asked for, the charger's only connector is meant; among several, a report may be about another driver.
    """
    connectors = [number for number in reports if number > 0]
    meant = connectors[0] if connector is None and len(connectors) == 1 else connector
    report = reports.get(meant or 0)
    if meant is None or report is None or report.at <= sent:
        return Answer(charger, connector or 0, "NoError", "Accepted", None)
    status = report.status if report.status in ACCEPTED_STATUSES else "Accepted"
    return Answer(charger, meant, report.error_code, status, None)


def refused(charger: str, connector: int | None, reason: str | None, known: Report | None) -> Answer:
    """A rejected start. `reason` is OCPP 2.0.1's reasonCode, `known` the last report on the connector asked for."""
    word = _REASONS.get(reason or "")
    if word is None:
        word = "connector-busy" if known and known.status in BUSY_STATUSES else "charger-refused"
    info = f"{word} {reason}" if reason else word
    return rejected(charger, connector, info[:_INFO_LENGTH].rstrip())


def rejected(charger: str, connector: int | None, info: str) -> Answer:
    return Answer(charger, connector or 0, "NoError", "Rejected", info)


def offline(charger: str, connector: int | None) -> Answer:
    return Answer(charger, connector or 0, "NoError", "Unavailable", "not-connected")


def remote_start_id(id: str) -> int:  # noqa: A002
    """OCPP 2.0.1's remoteStartId: the first 31 bits after the sign bit of the SHA-256 of the id's text, at least 1."""
    return max(1, int.from_bytes(sha256(id.encode()).digest()[:4], "big") & 0x7FFF_FFFF)

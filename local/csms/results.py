"""The native dialect's result of a start or a status, and how it follows from what a charger answered in OCPP."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED_STATUSES = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"})
"""Connector statuses that replace `Accepted` in the result of an accepted start."""

BUSY_STATUSES = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved", "Occupied"})
"""Connector statuses that are most likely the reason for a rejected start."""

CHARGING_STATES = {
    "Charging": "Charging",
    "EVConnected": "Preparing",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
}
"""OCPP 2.0.1 chargingState -> status of the result; `Accepted` for any other state."""

NOT_STARTED_ERRORS = frozenset(
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
"""CALLERROR codes after which nothing was started. After any other code, a charge may have started."""

_REASONS = {"InvalidIdToken": "token-refused", "TxInProgress": "connector-busy"}
_INFO_LENGTH = 50


@dataclass(frozen=True, slots=True)
class Result:
    """The body of every 200 response, with the wire's field names. `connectorId` is 0 if it is not known."""

    chargerId: str
    connectorId: int
    errorCode: str
    status: str
    info: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """The last status of one connector; `at` is the event loop's time at which it arrived."""

    connector: int
    status: str
    error_code: str
    at: float


def accepted(charger: str, connector: int | None, reports: Mapping[int, Report], sent: float) -> Result:
    """Return the result of an accepted start: `Accepted`, or the status that the connector reported after `sent`.

    If the start named no connector, a report counts only if the charger has one connector: with several, it may be about
    another driver.
    """
    connectors = [number for number in reports if number > 0]
    used = connectors[0] if connector is None and len(connectors) == 1 else connector
    report = reports.get(used or 0)
    if used is None or report is None or report.at <= sent:
        return Result(charger, connector or 0, "NoError", "Accepted", None)
    status = report.status if report.status in ACCEPTED_STATUSES else "Accepted"
    return Result(charger, used, report.error_code, status, None)


def rejected_by_charger(
    charger: str, connector: int | None, reason: str | None, report: Report | None
) -> Result:
    """Return the result of a start that the charger rejected.

    `reason` is the reasonCode of OCPP 2.0.1, `report` the last one of the connector that the start named.
    """
    word = _REASONS.get(reason or "")
    if word is None:
        word = "connector-busy" if report and report.status in BUSY_STATUSES else "charger-refused"
    info = f"{word} {reason}" if reason else word
    return rejected(charger, connector, info[:_INFO_LENGTH].rstrip())


def rejected(charger: str, connector: int | None, info: str) -> Result:
    """Return the result of a rejected start, with the reason in `info`."""
    return Result(charger, connector or 0, "NoError", "Rejected", info)


def offline(charger: str, connector: int | None) -> Result:
    """Return the result for a charger that is not connected."""
    return Result(charger, connector or 0, "NoError", "Unavailable", "not-connected")


def remote_start_id(id: str) -> int:  # noqa: A002
    """Return OCPP 2.0.1's remoteStartId: the first four bytes of the id's SHA-256 without the highest bit, at least 1."""
    return max(1, int.from_bytes(sha256(id.encode()).digest()[:4], "big") & 0x7FFF_FFFF)

"""What the link returns for a request."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_link.errors import OutcomeUnknown
    from common.remote_start.transaction import Transaction


class Outcome(StrEnum):
    """The outcome of a request, for programs: the value of the header ``Connect-Outcome``."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OFFLINE = "offline"
    STATUS = "status"
    CANCELLED = "cancelled"


class Published(NamedTuple):
    """The server took the request, and sends the charger's answer to the command's callback URL later.

    ``failure`` is set if the server's own response did not arrive whole, so that it may not have taken the request.
    """

    failure: OutcomeUnknown | None = None


class Answer(NamedTuple):
    """The definite answer of a charger, or of a server on its behalf; the fields of ``OcppStatusResponse``.

    ``early``: a rejection from before the request was sent to the charger. The cause may be temporary.
    ``provisional``: a rejection that another try of the same start may contradict.
    ``transaction``: the charge that the charger names in its answer to a start; `record` does not hold it.
    """

    outcome: Outcome
    status: str
    connector_id: int = 0
    error_code: str = "NoError"
    info: str | None = None
    early: bool = False
    provisional: bool = False
    transaction: Transaction | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Answer:
        """Return the answer that `record` wrote."""
        return cls(
            Outcome(record["outcome"]),
            record["status"],
            record["connectorId"],
            record["errorCode"],
            record["info"],
        )

    def record(self) -> dict[str, Any]:
        """Return the answer as an attempt stores it."""
        return {
            "outcome": str(self.outcome),
            "status": self.status,
            "connectorId": self.connector_id,
            "errorCode": self.error_code,
            "info": self.info,
        }

    def with_outcome(self, outcome: Outcome) -> Answer:
        """Return the same answer with another outcome."""
        return self._replace(outcome=outcome)

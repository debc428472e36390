"""What is asked of the link, and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_link.errors import OutcomeUnknown
    from charger_link.servers import Server


class Outcome(StrEnum):
    """What became of a request, for programs: the value of the header ``Connect-Outcome``."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OFFLINE = "offline"
    STATUS = "status"


class Command(NamedTuple):
    """Connect `token` to `charger_id` at `server`; without a token, only ask how the charger is.

    ``connector`` is None where the request and, for a start, the server's entry name none. ``callback_url`` is where a server
    that answers later answers to; None where the dialect has no use for it. ``doubt``: an earlier call with this id may have
    reached the server.
    """

    id: str
    charger_id: str
    token: str | None
    connector: int | None
    server: Server
    trace_parent: str | None = None
    callback_url: str | None = None
    doubt: bool = False


class Published(NamedTuple):
    """The server took the start and says later, at the command's callback URL, what the charger answered.

    ``failure`` is set where even that is not known, because its answer did not come whole.
    """

    failure: OutcomeUnknown | None = None


class Answer(NamedTuple):
    """What a charger, or a server on its behalf, definitely said; the fields of ``OcppStatusResponse``.

    ``early``: a rejection from before the charger was asked. Nothing was sent, and the cause may pass.
    """

    outcome: Outcome
    status: str
    connector_id: int = 0
    error_code: str = "NoError"
    info: str | None = None
    early: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Answer:
        """The answer that `record` wrote."""
        return cls(
            Outcome(record["outcome"]),
            record["status"],
            record["connectorId"],
            record["errorCode"],
            record["info"],
        )

    def record(self) -> dict[str, Any]:
        """As it stands in an attempt."""
        return {
            "outcome": str(self.outcome),
            "status": self.status,
            "connectorId": self.connector_id,
            "errorCode": self.error_code,
            "info": self.info,
        }

    def becomes(self, outcome: Outcome) -> Answer:
        """The same words under another outcome."""
        return self._replace(outcome=outcome)

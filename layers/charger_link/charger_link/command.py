"""What is asked of the link, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charger_link.servers import Server


class Outcome(StrEnum):
    """What became of a request, for programs: the value of the header ``Connect-Outcome``."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OFFLINE = "offline"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Command:
    """Connect `token` to `charger_id` at `server`; without a token, only ask how the charger is.

    ``connector`` is None where the request and the server's entry name none.
    """

    id: str
    charger_id: str
    token: str | None
    connector: int | None
    server: Server
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a charger, or a server on its behalf, definitely said; the fields of ``OcppStatusResponse``."""

    outcome: Outcome
    status: str
    connector_id: int = 0
    error_code: str = "NoError"
    info: str | None = None

    def becomes(self, outcome: Outcome) -> Answer:
        """The same words under another outcome."""
        return replace(self, outcome=outcome)

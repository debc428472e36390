"""The differences between OCPP versions, on the server's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from local.ocppj import Payload, format_time, now, parse_time

if TYPE_CHECKING:
    from local.ocppj import Handler

Call = tuple[str, Payload]

HEARTBEAT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Begin:
    """A charger's message that a transaction runs. `at` is the charger's own time, in OCPP's format.

    In OCPP 1.6 the server assigns the id, so `id` is None; in 2.0.1 the first messages may be lost, so any message counts.
    `status` is the connector's status that the message shows.
    """

    id: str | None
    connector: int
    token: str | None
    remote_start_id: int | None
    at: str
    status: str
    meter: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """A charger's message that a transaction has ended, with its own time and reason."""

    id: str
    at: str
    reason: str | None


class Events(Protocol):
    """The events that a charger's messages cause in the server."""

    def booted(self) -> None: ...

    def reported(self, connector: int, status: str, error_code: str) -> None: ...

    def began(self, begin: Begin) -> str:
        """Record a transaction, and return its id. The same message again returns the same id."""

    def ended(self, end: End) -> None: ...


@dataclass(frozen=True, slots=True)
class Version:
    """One OCPP version.

    `start` builds a call from (token, connector, remoteStartId), `stop` from (transaction id), `trigger` from (connector).
    """

    token_limit: int
    start: Callable[[str, int | None, int], Call]
    stop: Callable[[str], Call]
    trigger: Callable[[int | None], Call]
    handlers: Callable[[Events], Mapping[str, Handler]]


def boot_result() -> Payload:
    return {"status": "Accepted", "currentTime": now(), "interval": HEARTBEAT_SECONDS}


def read_time(text: str) -> str:
    """Return a charger's time in OCPP's format; the server's own time if the charger's cannot be parsed."""
    try:
        return format_time(parse_time(text))
    except ValueError:
        return format_time(datetime.now(UTC))

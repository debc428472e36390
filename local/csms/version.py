"""The differences between OCPP versions, on the server's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from local.ocppj import Payload, now

if TYPE_CHECKING:
    from local.ocppj import Handler

Call = tuple[str, Payload]

HEARTBEAT_SECONDS = 30


class Events(Protocol):
    """The events that a charger's messages cause in the server."""

    def booted(self) -> None: ...

    def reported(self, connector: int, status: str, error_code: str) -> None: ...

    def started(self, remote_start_id: int, connector: int, status: str) -> None:
        """A transaction names the start that caused it, which proves that the start was accepted."""


@dataclass(frozen=True, slots=True)
class Version:
    """One OCPP version. `start` builds a call from (token, connector, remoteStartId), `trigger` from (connector)."""

    token_limit: int
    start: Callable[[str, int | None, int], Call]
    trigger: Callable[[int | None], Call]
    handlers: Callable[[Events], Mapping[str, Handler]]


def boot_result() -> Payload:
    return {"status": "Accepted", "currentTime": now(), "interval": HEARTBEAT_SECONDS}

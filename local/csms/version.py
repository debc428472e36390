"""What differs between OCPP versions, seen from the server."""

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
    """What a charger's messages tell the server."""

    def booted(self) -> None: ...

    def reported(self, connector: int, status: str, error_code: str) -> None: ...

    def started(self, remote_start_id: int, connector: int, status: str) -> None:
        """A transaction exists that this start caused: proof that it was accepted."""


@dataclass(frozen=True, slots=True)
class Version:
    """`start` and `trigger` build a call from (token, connector, remoteStartId) and (connector)."""

    token_limit: int
    start: Callable[[str, int | None, int], Call]
    trigger: Callable[[int | None], Call]
    handlers: Callable[[Events], Mapping[str, Handler]]


def boot_answer() -> Payload:
    return {"status": "Accepted", "currentTime": now(), "interval": HEARTBEAT_SECONDS}

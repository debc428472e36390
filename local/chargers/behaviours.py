"""The charge points of the local stack as data: their identities and behaviours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reaction(StrEnum):
    """What a charge point does with a received start.

    DROP: accepts it, and closes its WebSocket before it answers. SILENT: neither answers nor starts while this reaction is
    set; pending starts then get the answer of the next reaction, late. LATE: begins the charge at once, and answers the start
    after `late_seconds`. NOT_SUPPORTED and FAIL: answers with a CALLERROR, NotSupported and InternalError.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    SILENT = "silent"
    DROP = "drop"
    LATE = "late"
    NOT_SUPPORTED = "not-supported"
    FAIL = "fail"


@dataclass(slots=True)
class Behaviour:
    """The charge point reads its behaviour at each step, so a change takes effect while it runs.

    `delay`: seconds before a start is answered. `charge_seconds`: duration of a charge. `cable_seconds`: how long the charge
    point waits for a cable if there is none. `busy` connectors charge another driver's car. `clock_offset`: seconds by which
    the clock of the charge point is fast.
    """

    identity: str
    version: str = "1.6"
    connectors: int = 1
    online: bool = True
    reaction: Reaction = Reaction.ACCEPT
    delay: float = 0.0
    cable: bool = True
    cable_seconds: float = 5.0
    charge_seconds: float = 5.0
    busy: frozenset[int] = frozenset()
    late_seconds: float = 25.0
    clock_offset: float = 0.0


def usual() -> list[Behaviour]:
    """Return CP-1 to CP-5."""
    return [
        Behaviour("CP-1"),
        Behaviour("CP-2", version="2.0.1"),
        Behaviour("CP-3", online=False),
        Behaviour("CP-4", reaction=Reaction.REJECT),
        Behaviour("CP-5", reaction=Reaction.SILENT),
    ]


def unusual() -> list[Behaviour]:
    """Return CP-6 to CP-10."""
    return [
        Behaviour("CP-6", connectors=2, busy=frozenset({1})),
        Behaviour("CP-7", cable=False),
        Behaviour("CP-8", delay=35.0),
        Behaviour("CP-9", reaction=Reaction.DROP),
        Behaviour("CP-10", reaction=Reaction.NOT_SUPPORTED),
    ]

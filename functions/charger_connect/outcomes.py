"""The one table from what the link said to what is recorded and what the caller hears.

Tests and documentation read it; nothing else decides a state or a status.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from charger_link import (
    Answer,
    ChargerUnknown,
    CircuitOpen,
    LinkError,
    Outcome,
    OutcomeUnknown,
    ServerBusy,
    ServerFailed,
    ServerRefused,
    StatusNotAvailable,
    Unreachable,
)
from common.journal import State


class Verdict(NamedTuple):
    """The attempt's state, and the type of problem the caller hears; None is a 200 with ``OcppStatusResponse``."""

    state: State
    problem: str | None


# The header Connect-Outcome of both rejections is `rejected`. Only what the charger itself said is final.
REJECTED_EARLY: Final = "rejected before the charger was asked"

OUTCOMES: dict[str | type[LinkError], Verdict] = {
    Outcome.ACCEPTED: Verdict(State.COMPLETED, None),
    Outcome.REJECTED: Verdict(State.COMPLETED, None),
    REJECTED_EARLY: Verdict(State.FAILED, None),
    Outcome.STATUS: Verdict(State.COMPLETED, None),
    Outcome.OFFLINE: Verdict(State.FAILED, None),
    Unreachable: Verdict(State.FAILED, "server-unreachable"),
    CircuitOpen: Verdict(State.FAILED, "circuit-open"),
    ServerBusy: Verdict(State.FAILED, "server-busy"),
    ServerRefused: Verdict(State.FAILED, "server-refused"),
    ServerFailed: Verdict(State.FAILED, "server-error"),
    ChargerUnknown: Verdict(State.FAILED, "charger-unknown"),
    StatusNotAvailable: Verdict(State.FAILED, "status-not-available"),
    OutcomeUnknown: Verdict(State.UNKNOWN, "outcome-unknown"),
}

# Where no token was given nothing can have started, however little came back.
STATUS_UNKNOWN = Verdict(State.FAILED, "status-unknown")


def verdict(result: Answer | LinkError, *, starts: bool) -> Verdict:
    """What `result` means; ``starts``: whether a start was asked."""
    if isinstance(result, Answer):
        return OUTCOMES[REJECTED_EARLY if result.early else result.outcome]
    if isinstance(result, OutcomeUnknown) and not starts:
        return STATUS_UNKNOWN
    return OUTCOMES[type(result)]

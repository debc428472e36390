"""The table from the result of a call to what is recorded and what the caller receives.

Tests and documentation read it; no other place decides a state or a status.
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
    """The attempt's state, and the type of problem that the caller receives; None is a 200 with ``OcppStatusResponse``."""

    state: State
    problem: str | None


# The header Connect-Outcome of both rejections is `rejected`. Only an answer of the charger itself is final.
REJECTED_EARLY: Final = "rejected before the charger was asked"

_RESOLVED = "An operator recorded that earlier tries started nothing, and this one did not start a charge as far as is known."

OUTCOMES: dict[str | type[LinkError], Verdict] = {
    Outcome.ACCEPTED: Verdict(State.COMPLETED, None),
    Outcome.REJECTED: Verdict(State.COMPLETED, None),
    REJECTED_EARLY: Verdict(State.FAILED, None),
    Outcome.STATUS: Verdict(State.COMPLETED, None),
    Outcome.CANCELLED: Verdict(State.COMPLETED, None),
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

# A request without a token cannot have started anything, even if its outcome is unknown.
STATUS_UNKNOWN = Verdict(State.FAILED, "status-unknown")


def verdict(result: Answer | LinkError, *, starts: bool) -> Verdict:
    """Return what `result` means; `starts` is whether the request was to start a charge."""
    if isinstance(result, Answer):
        return OUTCOMES[REJECTED_EARLY if result.early else result.outcome]
    if isinstance(result, OutcomeUnknown) and not starts:
        return STATUS_UNKNOWN
    return OUTCOMES[type(result)]


def only_acceptance(result: Answer | LinkError) -> Answer | LinkError:
    """Return the result of a try of an attempt that an operator once resolved as not started.

    The operator's word can be wrong: whatever this try ends with, an earlier one may have started a charge, unless this one did.
    """
    if isinstance(result, Answer):
        return result if result.outcome is Outcome.ACCEPTED else OutcomeUnknown("resolved", _RESOLVED)
    if result.may_have_started:
        return result
    return OutcomeUnknown(result.kind, _RESOLVED, opened_circuit=result.opened_circuit)

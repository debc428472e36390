"""What the replies of several kinds of OCPP server mean alike."""

from __future__ import annotations

from typing import Any

from charger_link import ocpp
from charger_link.command import Answer, Outcome
from charger_link.errors import OutcomeUnknown, ServerFailed, ServerRefused

# reasonCode of OCPP 2.0.1 (appendix 5), where it says more than that the charger will not.
_REASONS = {"InvalidIdToken": "token-refused", "TxInProgress": "connector-busy"}

LIST_LIMIT = 1024 * 1024  # bytes: a list of all chargers, some thousands of them


def started(payload: Any, connector: int | None) -> Answer:
    """The charger's own answer to a start, of OCPP 1.6 or 2.0.1: ``{"status": "Accepted"}``.

    Raises
    ------
    OutcomeUnknown
        It says something else.
    """
    status = payload.get("status") if isinstance(payload, dict) else None
    if status == "Accepted":
        return Answer(Outcome.ACCEPTED, "Accepted", connector or 0)
    if status == "Rejected":
        about = payload.get("statusInfo")
        reason = about.get("reasonCode") if isinstance(about, dict) else None
        text = reason if isinstance(reason, str) else ""
        return ocpp.rejected(_REASONS.get(text, "charger-refused"), connector, text)
    raise misunderstood("status")


def call_error(code: Any, connector: int | None) -> Answer:
    """A CALLERROR in the place of an answer.

    Raises
    ------
    OutcomeUnknown
        Its code does not say that the charger will not start.
    """
    if isinstance(code, str) and code in ocpp.REFUSALS:
        return ocpp.rejected("not-supported", connector, code)
    raise OutcomeUnknown("call-error", "The charger answered with an error; it may start all the same.")


def silent() -> OutcomeUnknown:
    """The server sent the start and gave up waiting for the charger."""
    return OutcomeUnknown("charger-silent", "The charger did not answer in time; it may start all the same.")


def misunderstood(kind: str) -> OutcomeUnknown:
    """A reply that is none of those the dialect knows; `kind` is one word for metrics."""
    return OutcomeUnknown(
        kind, "The OCPP server's answer was not understood; the charger may start all the same."
    )


def unreadable(hint: str) -> ServerFailed:
    """The server says that it could not read our request; `hint` says what to look at."""
    return ServerFailed(
        "unreadable", f"The OCPP server could not read the request, so nothing was started: {hint}."
    )


def forbidden() -> ServerRefused:
    """The credentials are known, and do not allow this."""
    return ServerRefused(
        "forbidden",
        "The OCPP server does not let our credentials do this: look at the secret in LinkServers.",
    )

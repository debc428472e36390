"""The meaning of replies that several kinds of OCPP server have in common."""

from __future__ import annotations

from typing import Any

from charger_link import ocpp
from charger_link.answer import Answer, Outcome
from charger_link.errors import ChargerUnknown, OutcomeUnknown, ServerFailed, ServerRefused
from charger_link.words import REFUSALS, InfoWord

# reasonCode of OCPP 2.0.1 (appendix 5), if it says more than that the charger rejects the start.
_REASONS = {"InvalidIdToken": InfoWord.TOKEN_REFUSED, "TxInProgress": InfoWord.CONNECTOR_BUSY}


def started(payload: Any, connector: int | None) -> Answer:
    """Return the charger's own answer to a start, of OCPP 1.6 or 2.0.1: ``{"status": "Accepted"}``.

    Raises
    ------
    OutcomeUnknown
        The payload is no such answer.
    """
    status = payload.get("status") if isinstance(payload, dict) else None
    if status == "Accepted":
        return Answer(Outcome.ACCEPTED, "Accepted", connector or 0)
    if status == "Rejected":
        status_info = payload.get("statusInfo")
        reason = status_info.get("reasonCode") if isinstance(status_info, dict) else None
        text = reason if isinstance(reason, str) else ""
        return ocpp.rejected(_REASONS.get(text, InfoWord.CHARGER_REFUSED), connector, text)
    raise misunderstood("status")


def call_error(code: Any, connector: int | None) -> Answer:
    """Return the rejection that a CALLERROR means.

    Raises
    ------
    OutcomeUnknown
        Its code does not say that the charger rejects the start.
    """
    if isinstance(code, str) and code in REFUSALS:
        return ocpp.rejected(InfoWord.NOT_SUPPORTED, connector, code)
    raise OutcomeUnknown("call-error", "The charger answered with an error; it may start all the same.")


def silent() -> OutcomeUnknown:
    """Return the error for a server that sent the start and no longer waits for the charger."""
    return OutcomeUnknown("charger-silent", "The charger did not answer in time; it may start all the same.")


def charger_unknown() -> ChargerUnknown:
    """Return the error for a server that does not know the charger."""
    return ChargerUnknown("charger-unknown", "The OCPP server does not know this charger.")


def misunderstood(kind: str) -> OutcomeUnknown:
    """Return the error for a reply that the dialect does not recognise; `kind` is one word for metrics."""
    return OutcomeUnknown(
        kind, "The OCPP server's answer was not understood; the charger may start all the same."
    )


def request_unreadable(hint: str) -> ServerFailed:
    """Return the error for a server that could not read our request; `hint` says what to look at."""
    return ServerFailed(
        "unreadable", f"The OCPP server could not read the request, so nothing was started: {hint}."
    )


def credentials_insufficient() -> ServerRefused:
    """Return the error for credentials that the server knows and that do not allow the request."""
    return ServerRefused(
        "forbidden",
        "The OCPP server does not allow this with our credentials: look at the secret in LinkServers.",
    )

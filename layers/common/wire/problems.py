"""Problem documents (RFC 9457): the one table of their types, and the exception that carries one.

Refused    whoever raises it has decided the answer; `problem` is what the caller hears
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Outcome = Literal["not-started", "pending", "unknown"]


class ProblemType(NamedTuple):
    """What every problem of one type has in common.

    `outcome` tells a program what it may do: `not-started` (try again), `pending` (wait), `unknown`
    (it may have started: look at `instance` first), or None where the request itself is at fault.
    """

    status: int
    title: str
    outcome: Outcome | None = None


PROBLEM_TYPES: dict[str, ProblemType] = {
    "invalid-request": ProblemType(400, "The request is invalid"),
    "address-not-allowed": ProblemType(403, "The server's address is not allowed"),
    "charger-unknown": ProblemType(404, "The charger is unknown"),
    "attempt-unknown": ProblemType(404, "The attempt is unknown"),
    "method-not-allowed": ProblemType(405, "The method is not allowed"),
    "attempt-in-progress": ProblemType(409, "The same id is still in progress", "pending"),
    "body-too-large": ProblemType(413, "The body is too large"),
    "unsupported-media-type": ProblemType(415, "The media type is not supported"),
    "id-reused": ProblemType(422, "The id belongs to another request"),
    "status-not-available": ProblemType(422, "The server cannot tell a charger's status"),
    "internal-error": ProblemType(500, "The service failed", "unknown"),
    "server-unreachable": ProblemType(502, "The OCPP server could not be reached", "not-started"),
    "server-refused": ProblemType(502, "The OCPP server refused the call", "not-started"),
    "server-error": ProblemType(502, "The OCPP server failed, and nothing was started", "not-started"),
    "journal-unavailable": ProblemType(503, "The journal cannot take work now", "not-started"),
    "server-busy": ProblemType(503, "The OCPP server cannot take work now", "not-started"),
    "circuit-open": ProblemType(503, "The OCPP server has been failing and is left alone", "not-started"),
    "starts-paused": ProblemType(503, "Starts are paused", "not-started"),
    "outcome-unknown": ProblemType(504, "The outcome is unknown", "unknown"),
    "status-unknown": ProblemType(504, "The charger's status could not be learnt in time", "not-started"),
}


class FieldError(NamedTuple):
    """One violation: the member's name on the wire (`body` for the whole), and what to send instead."""

    field: str
    message: str


class Problem(NamedTuple):
    """A problem document. `type` and `instance` are URI references, `status` the HTTP status."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[FieldError, ...] = ()
    outcome: Outcome | None = None


class Refused(Exception):
    """Raised anywhere in the flow to answer with a problem document, and with `headers` beside it (Allow, Retry-After)."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers or {}


def problem(
    type_name: str,
    detail: str,
    *,
    instance: str | None = None,
    errors: Sequence[FieldError] = (),
    outcome: Outcome | None = None,
) -> Problem:
    """The problem of a type in `PROBLEM_TYPES` (KeyError for another), with the type's own outcome unless one is given."""
    kind = PROBLEM_TYPES[type_name]
    return Problem(
        type=f"/problems/{type_name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance,
        errors=tuple(errors),
        outcome=outcome or kind.outcome,
    )


def invalid(*errors: FieldError) -> Refused:
    """The refusal (400) of a request for these violations, all of them at once."""
    detail = "Correct what is listed under errors, then send the request again."
    return Refused(problem("invalid-request", detail, errors=errors))


def unreadable(message: str) -> Refused:
    """The refusal (400) of a body that cannot be read at all."""
    return invalid(FieldError("body", message))

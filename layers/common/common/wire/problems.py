"""Problem documents (RFC 9457): the table of their types, and the exception that returns one to the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

ProblemOutcome = Literal["not-started", "pending", "unknown"]


class ProblemType(NamedTuple):
    """The members that all problems of one type share.

    `outcome` is for programs: `not-started` (the caller may retry with the same id), `pending` (the caller must wait),
    `unknown` (a charge may have started: the caller must check `instance` first), or None (the request is at fault).
    """

    status: int
    title: str
    outcome: ProblemOutcome | None = None


PROBLEM_TYPES: dict[str, ProblemType] = {
    "invalid-request": ProblemType(400, "The request is invalid"),
    "address-not-allowed": ProblemType(403, "The server's address is not allowed"),
    "other-caller": ProblemType(403, "Another caller started this charge"),
    "charger-unknown": ProblemType(404, "The charger is unknown"),
    "attempt-unknown": ProblemType(404, "The attempt is unknown"),
    "method-not-allowed": ProblemType(405, "The method is not allowed"),
    "attempt-in-progress": ProblemType(409, "An attempt with this id is in progress", "pending"),
    "attempt-not-unknown": ProblemType(409, "The attempt's outcome is not unknown", "unknown"),
    "too-early": ProblemType(409, "It is too early to say that nothing was started", "unknown"),
    "not-yet-started": ProblemType(409, "No charge is certain yet", "unknown"),
    "body-too-large": ProblemType(413, "The body is too large"),
    "unsupported-media-type": ProblemType(415, "The media type is not supported"),
    "id-reused": ProblemType(422, "The id belongs to another request"),
    "status-not-available": ProblemType(422, "The OCPP server cannot report a charger's status"),
    "stop-not-available": ProblemType(422, "No charge can be stopped that certainly is the attempt's"),
    "internal-error": ProblemType(500, "The service failed", "unknown"),
    "server-unreachable": ProblemType(502, "The OCPP server could not be reached", "not-started"),
    "server-refused": ProblemType(502, "The OCPP server rejected the request", "not-started"),
    "server-error": ProblemType(502, "The OCPP server failed; nothing was started", "not-started"),
    "journal-unavailable": ProblemType(503, "The journal is unavailable", "not-started"),
    "server-busy": ProblemType(503, "The OCPP server is busy", "not-started"),
    "circuit-open": ProblemType(
        503, "The OCPP server failed repeatedly and is not called for now", "not-started"
    ),
    "starts-paused": ProblemType(503, "Starts are paused", "not-started"),
    "outcome-unknown": ProblemType(504, "The outcome is unknown", "unknown"),
    "status-unknown": ProblemType(504, "The charger's status could not be read in time", "not-started"),
}


class FieldError(NamedTuple):
    """One violation: the field's name in the request (`body` for the whole body), and what to send instead."""

    field: str
    message: str


class Problem(NamedTuple):
    """A problem document. `type` and `instance` are URI references; `status` is the HTTP status code."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[FieldError, ...] = ()
    outcome: ProblemOutcome | None = None


class ProblemError(Exception):
    """Raised to end a request with a problem document as its response, and with `headers` (Allow, Retry-After)."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers or {}


def make_problem(
    type_name: str,
    detail: str,
    *,
    instance: str | None = None,
    errors: Sequence[FieldError] = (),
    outcome: ProblemOutcome | None = None,
) -> Problem:
    """Return a problem of a type in `PROBLEM_TYPES`, with the type's own outcome unless one is given.

    Raises KeyError for an unknown type.
    """
    problem_type = PROBLEM_TYPES[type_name]
    return Problem(
        type=f"/problems/{type_name}",
        title=problem_type.title,
        status=problem_type.status,
        detail=detail,
        instance=instance,
        errors=tuple(errors),
        outcome=outcome or problem_type.outcome,
    )


def invalid_request(*errors: FieldError) -> ProblemError:
    """Return the error (400) for a request with these violations."""
    detail = "Correct the fields listed in `errors`, then send the request again."
    return ProblemError(make_problem("invalid-request", detail, errors=errors))


def invalid_body(message: str) -> ProblemError:
    """Return the error (400) for a body that cannot be parsed."""
    return invalid_request(FieldError("body", message))

"""Documentation of each problem type: when it occurs, which operations return it, and the state of the attempt afterwards."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

from charger_connect.outcomes import OUTCOMES, STATUS_UNKNOWN
from common.wire import PROBLEM_TYPES

Operation = Literal["connect", "attempt", "stop", "resolve", "unknown", "attempts", "callback"]


class ProblemDoc(NamedTuple):
    """`when` describes the cause; `operations` return the problem; `attempt` is the attempt's state afterwards."""

    when: str
    operations: tuple[Operation, ...] = ("connect",)
    attempt: str = "none"


_ALL_OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)

_DOCS: Final[dict[str, ProblemDoc]] = {
    "invalid-request": ProblemDoc(
        "the request is malformed or cannot be processed; `errors` lists every invalid field",
        _ALL_OPERATIONS,
    ),
    "address-not-allowed": ProblemDoc(
        "`LinkServers` does not allow the OCPP server's address or port, and no attempt with this `id` is stored"
    ),
    "charger-unknown": ProblemDoc(
        "the OCPP server does not know the charger; only servers that distinguish unknown from offline report this"
    ),
    "attempt-unknown": ProblemDoc(
        "no attempt has this id, or the attempt is older than the journal's retention; no attempt waits for this callback",
        ("attempt", "stop", "resolve", "callback"),
    ),
    "method-not-allowed": ProblemDoc("the method is not POST; the response has `Allow: POST`"),
    "other-caller": ProblemDoc(
        "only the caller that started a charge may stop it", ("stop",), attempt="unchanged"
    ),
    "attempt-in-progress": ProblemDoc(
        "another call is processing the same request; see `Retry-After`",
        ("connect", "stop"),
        attempt="stays `pending`",
    ),
    "not-yet-started": ProblemDoc(
        "no charge in the OCPP server's records is certainly of this id yet, and one may still begin; see `Retry-After`",
        ("stop",),
        attempt="unchanged",
    ),
    "stop-not-available": ProblemDoc(
        "no charge that certainly is of this id can be stopped: the OCPP server's records do not show it, or it cannot stop one "
        "certain charge",
        ("stop",),
        attempt="unchanged",
    ),
    "attempt-not-unknown": ProblemDoc(
        "only an attempt of a start whose outcome is unknown can be resolved; read `instance`",
        ("resolve",),
        attempt="unchanged",
    ),
    "too-early": ProblemDoc(
        "the start can still arrive at the charger, so nobody can know that nothing was started; see `Retry-After`",
        ("resolve",),
        attempt="stays `unknown`",
    ),
    "body-too-large": ProblemDoc("the body is larger than 64 KiB", ("connect", "resolve", "callback")),
    "unsupported-media-type": ProblemDoc(
        "the Content-Type is missing, malformed, or not one of the five supported types"
    ),
    "id-reused": ProblemDoc(
        "the `id` belongs to a request with other content or from another caller; read `instance`",
        attempt="unchanged",
    ),
    "status-not-available": ProblemDoc(
        "the request has no token, and this kind of OCPP server cannot report a charger's status"
    ),
    "internal-error": ProblemDoc("the service failed", _ALL_OPERATIONS, attempt="not known"),
    "server-unreachable": ProblemDoc("the service could not connect to the OCPP server", ("connect", "stop")),
    "server-refused": ProblemDoc("the OCPP server rejects the service's credentials", ("connect", "stop")),
    "server-error": ProblemDoc("the OCPP server failed in a way that proves that nothing was started"),
    "journal-unavailable": ProblemDoc(
        "the table of attempts is unavailable, and this call sent nothing; see `Retry-After`. "
        "From a GET or a DELETE, `outcome` is `unknown`",
        _ALL_OPERATIONS,
    ),
    "server-busy": ProblemDoc(
        "the OCPP server reports that it sent nothing and can process the request later; see `Retry-After`",
        ("connect", "stop"),
    ),
    "circuit-open": ProblemDoc(
        "the OCPP server failed several times in a row and is not called for a while; see `Retry-After`",
        ("connect", "stop"),
    ),
    "starts-paused": ProblemDoc("the operator has paused starts; see `Retry-After`"),
    "outcome-unknown": ProblemDoc(
        "this call or an earlier one with this `id` sent the start, or may have sent it, and no definite answer was "
        "received or recorded; no `Retry-After`. From a DELETE: the stop's outcome is not known, and repeating the DELETE is safe",
        ("connect", "stop"),
    ),
    "status-unknown": ProblemDoc(
        "the request has no token, and the charger's status could not be read; such a request starts nothing"
    ),
}
_RECORDED_STATES: Final = {
    verdict.problem: f"`{verdict.state}`"
    for verdict in (*OUTCOMES.values(), STATUS_UNKNOWN)
    if verdict.problem
}

PROBLEM_DOCS: Final = {
    slug: _DOCS[slug]._replace(attempt=_RECORDED_STATES.get(slug, _DOCS[slug].attempt))
    for slug in PROBLEM_TYPES
}
"""By problem type, in the order of `PROBLEM_TYPES`. A type without documentation raises KeyError at import."""


def group_by_status(operation: Operation) -> dict[int, list[str]]:
    """Return the problem types that an operation returns, by status code."""
    by_status: dict[int, list[str]] = {}
    for slug, doc in PROBLEM_DOCS.items():
        if operation in doc.operations:
            by_status.setdefault(PROBLEM_TYPES[slug].status, []).append(slug)
    return dict(sorted(by_status.items()))

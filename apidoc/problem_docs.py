"""When each type of problem is answered, by which operation, and what it leaves in the journal."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from charger_connect.outcomes import OUTCOMES, STATUS_UNKNOWN
from common.wire import PROBLEM_TYPES

Operation = Literal["connect", "attempt", "attempts", "callback"]


class Meaning(NamedTuple):
    """`when` in words, and the operations that answer it. `leaves` is the state of the attempt, or what becomes of one that is there."""

    when: str
    operations: tuple[Operation, ...] = ("connect",)
    leaves: str = "none"


_STATES: Final = {
    found.problem: f"`{found.state}`" for found in (*OUTCOMES.values(), STATUS_UNKNOWN) if found.problem
}

_TOLD: Final[dict[str, Meaning]] = {
    "invalid-request": Meaning(
        "the request cannot be read or carried out; `errors` lists every field that is wrong",
        ("connect", "attempt", "attempts", "callback"),
    ),
    "address-not-allowed": Meaning(
        "the OCPP server's address or port is not in `LinkServers`, and nothing is known under the `id`"
    ),
    "charger-unknown": Meaning("the OCPP server does not know the charger, and can tell that from offline"),
    "attempt-unknown": Meaning(
        "no attempt has this id, or it is older than the journal keeps; nothing waits for this callback",
        ("attempt", "callback"),
    ),
    "method-not-allowed": Meaning("the request is not a POST; `Allow: POST`"),
    "attempt-in-progress": Meaning(
        "the same request is being carried out by another call; `Retry-After`", leaves="stays `pending`"
    ),
    "body-too-large": Meaning("the body has over 64 KiB", ("connect", "callback")),
    "unsupported-media-type": Meaning(
        "the body's Content-Type is missing, malformed or another than the five"
    ),
    "id-reused": Meaning(
        "the `id` belongs to a request of another content, or of another caller; look at `instance`",
        leaves="stays",
    ),
    "status-not-available": Meaning("no token was given, and this kind of OCPP server cannot tell a status"),
    "internal-error": Meaning(
        "the service itself failed", ("connect", "attempt", "attempts", "callback"), leaves="not known"
    ),
    "server-unreachable": Meaning("no connection to the OCPP server could be made"),
    "server-refused": Meaning("the OCPP server does not take the service's credentials"),
    "server-error": Meaning("the OCPP server failed in a way that means nothing was started"),
    "journal-unavailable": Meaning(
        "the table of attempts cannot take work, before anything was sent; `Retry-After`",
        ("connect", "attempt", "attempts", "callback"),
    ),
    "server-busy": Meaning(
        "the OCPP server says that it sent nothing and can take the call later; `Retry-After`"
    ),
    "circuit-open": Meaning("the OCPP server failed several times in a row and is left alone; `Retry-After`"),
    "starts-paused": Meaning("the operator has paused starts; `Retry-After`"),
    "outcome-unknown": Meaning(
        "it was sent and no definite answer came or could be recorded, now or under this `id` before; no `Retry-After`"
    ),
    "status-unknown": Meaning(
        "no token was given, and the status could not be learnt; nothing was to be started"
    ),
}

MEANINGS: Final = {
    slug: _TOLD[slug]._replace(leaves=_STATES.get(slug, _TOLD[slug].leaves)) for slug in PROBLEM_TYPES
}
"""By problem type, in the order of `PROBLEM_TYPES`; KeyError where a type has no meaning yet."""


def of_operation(operation: Operation) -> dict[int, list[str]]:
    """The problem types that an operation answers, by status."""
    found: dict[int, list[str]] = {}
    for slug, meaning in MEANINGS.items():
        if operation in meaning.operations:
            found.setdefault(PROBLEM_TYPES[slug].status, []).append(slug)
    return dict(sorted(found.items()))

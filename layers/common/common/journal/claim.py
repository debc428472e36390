"""What a claim writes, what it returns, and the decision between the two: pure functions, without I/O or clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from common.journal.attempt import Attempt, State, timestamp
from common.transport.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Collection

# Seconds after createdAt in which a start of a repeatable dialect may be sent again; servers keep request ids for 24 h.
REPEAT_WINDOW = 3600.0


class Opening(NamedTuple):
    """What a claim writes.

    ``token`` is masked already; ``digest`` is its `token_digest`. ``lease`` is in seconds since the epoch, and so is ``due``: when
    the attempt is looked at if nobody settles it; None: when the lease ends.
    """

    id: str
    charger_id: str
    server: str
    dialect: str
    connector: int | None
    token: str | None
    fingerprint: bytes
    lease: float
    caller: str
    trace_id: str | None = None
    url: str | None = None
    digest: bytes | None = None
    tenant: int | None = None
    due: float | None = None

    @property
    def starts(self) -> bool:
        """Whether the request is a start: a status request has no token."""
        return self.token is not None


class Claimed(NamedTuple):
    """This invocation holds the attempt. ``doubt``: an earlier try may have reached the server, so this one repeats it."""

    attempt: Attempt
    doubt: bool = False


class Replay(NamedTuple):
    """The attempt is completed: the caller receives its answer again."""

    attempt: Attempt


class Pending(NamedTuple):
    """Another invocation holds the attempt; its lease ends in ``retry_after`` seconds."""

    attempt: Attempt
    retry_after: int


class Mismatch(NamedTuple):
    """The id belongs to `attempt`, which has another content or another caller."""

    attempt: Attempt


class Unknown(NamedTuple):
    """The attempt may have started a charge, and its request cannot be sent again."""

    attempt: Attempt


Claim = Claimed | Replay | Pending | Mismatch | Unknown


class Takeover:
    """The attempt may be claimed by a second write. ``doubt`` as in `Claimed`."""

    # No NamedTuple: creating its class takes 0.2 ms of every cold start.
    def __init__(self, attempt: Attempt, *, doubt: bool) -> None:
        self.attempt = attempt
        self.doubt = doubt


def decide(
    old: Attempt,
    fingerprint: bytes,
    owner: str,
    now: float,
    repeatable: Collection[str],
    *,
    starts: bool,
) -> Claim | Takeover:
    """Return what a claim of the existing attempt `old` results in.

    `fingerprint` and `starts` (a start, not a status) describe the request, `owner` the invocation that claims. `now` is in
    seconds since the epoch. `repeatable` names the dialects whose start may be sent again under the same id.
    """
    if old.fingerprint != fingerprint:
        return Mismatch(old)
    if old.state is State.COMPLETED:
        return Replay(old)
    if old.owner == owner:  # the claim's own write, whose response was lost
        return Claimed(old)
    if old.state is State.PENDING and old.lease >= now:
        return Pending(old, retry_after(old.lease - now))
    if not starts:  # a status request starts nothing, so it may always be sent again
        return Takeover(old, doubt=False)
    if old.is_resolved:  # by an operator, whose word can be wrong
        failed = old.known_state(now) is State.FAILED
        return Takeover(old, doubt=True) if failed else Unknown(old)
    if old.dialect in repeatable and old.createdAt >= timestamp(now - REPEAT_WINDOW):
        return Takeover(old, doubt=True)
    return Unknown(old)


def decide_without_claim(
    old: Attempt | None, fingerprint: bytes, now: float, *, starts: bool
) -> Replay | Pending | Mismatch | Unknown | None:
    """Return what a request with this fingerprint receives that may not be sent now; None if nothing was started under its id.

    That nothing was started is not certain if only an operator says so: the attempt is `Unknown`.
    """
    if old is None or (old.state is State.FAILED and old.fingerprint == fingerprint and not old.is_resolved):
        return None
    # No dialect is repeatable here.
    decision = decide(old, fingerprint, "", now, (), starts=starts)
    if isinstance(decision, Takeover) and decision.doubt:
        return Unknown(old)
    return None if isinstance(decision, Claimed | Takeover) else decision

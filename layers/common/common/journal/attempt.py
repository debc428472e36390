"""An attempt, and how it is read from and written to its DynamoDB item."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from common.remote_start.transaction import Transaction

# Seconds: longer than an invocation of the connect function can run, so no sending is earlier than this before the lease's end.
LONGEST_HOLD = 60.0

Item = dict[str, dict[str, Any]]  # DynamoDB's notation: {"id": {"S": "..."}}


NOT_STARTED = "not-started"  # the outcome of a resolution


class State(StrEnum):
    """The state of an attempt. ``completed`` is final."""

    PENDING = "pending"  # claimed; no result is recorded yet
    COMPLETED = "completed"  # accepted, rejected, or a status returned
    FAILED = "failed"  # certainly, nothing was started
    UNKNOWN = "unknown"  # sent, and the outcome is unknown


class Attempt(NamedTuple):
    """Everything that is recorded under one request id.

    ``lease`` is in seconds since the epoch. ``milliseconds`` has the duration of each step. ``answer`` is the charger's answer as
    the caller receives it; without one, ``problem`` has the type and detail of the problem. ``url`` is the base URL of the
    server's API.
    ``attemptKey`` is random. The first write sets it, and every later write keeps it. After the item was deleted, the id may be
    used again, but the key never is. Version 1.0 wrote none.

    ``shard`` and ``dueAt`` are the keys of the index `unfinished`. ``digest`` is `token_digest` of the start, and ``tenant`` its
    tenant. ``firstSentAt`` is the first sending since the attempt was last certainly not started, and ``sentAt`` the newest claim.
    ``transaction`` is the attempt's, as `transaction_map` returns it; ``otherTransactions`` has further ones by id. ``sightings``
    has the time of the first look that returned a transaction, by `sighting`. ``resolution`` is an operator's word, and ``stop``
    the last stop. Attempts of earlier versions have none of these.
    """

    id: str
    chargerId: str
    state: State
    createdAt: str
    updatedAt: str
    server: str | None = None
    dialect: str | None = None
    connectorId: int | None = None
    token: str | None = None
    tries: int = 1
    owner: str = ""
    lease: float = 0.0
    fingerprint: bytes = b""
    caller: str | None = None
    traceId: str | None = None
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    milliseconds: dict[str, Any] | None = None
    url: str | None = None
    expiresAt: int = 0
    attemptKey: str | None = None
    shard: str | None = None
    dueAt: float | None = None
    digest: bytes | None = None
    tenant: int | None = None
    firstSentAt: str | None = None
    sentAt: str | None = None
    transaction: dict[str, Any] | None = None
    otherTransactions: dict[str, dict[str, Any]] | None = None
    lookedAt: str | None = None
    nothingFoundUntil: str | None = None
    sightings: dict[str, str] | None = None
    resolution: dict[str, Any] | None = None
    stop: dict[str, Any] | None = None

    @classmethod
    def of(cls, item: Item) -> Attempt:
        """Return the attempt of an item: absent attributes get their defaults, unknown ones are ignored."""
        known = {name: _value(item[name]) for name in cls._fields if name in item}
        known["state"] = State(known["state"])
        return cls(**known)

    def is_same(self, other: Attempt) -> bool:
        """Return whether both are the same attempt; False if the item was deleted and its id used again."""
        if self.attemptKey and other.attemptKey:
            return self.attemptKey == other.attemptKey
        return self.createdAt == other.createdAt

    def is_same_try(self, other: Attempt) -> bool:
        """Return whether both are the same try of the same attempt."""
        return self.is_same(other) and self.tries == other.tries

    def known_state(self, now: float) -> State:
        """Return the state at `now`.

        The outcome is unknown if a pending attempt's lease expired, since its invocation has died. It is unknown, too, if a try
        after an operator's word failed: only an older version writes that.
        """
        if self.state is State.PENDING and self.lease < now:
            return State.UNKNOWN
        if self.state is State.FAILED and self.resolution and self.resolution["tries"] < self.tries:
            return State.UNKNOWN
        return self.state

    @property
    def is_resolved(self) -> bool:
        """Whether an operator once recorded that nothing was started: since then every try is in doubt."""
        return self.resolution is not None and NOT_STARTED in (
            self.resolution["outcome"],
            self.resolution.get("earlier"),
        )

    @property
    def is_accepted(self) -> bool:
        """Whether the stored answer is an acceptance: the charger's own, one that records prove, or an operator's word."""
        return self.answer is not None and self.answer["outcome"] == "accepted"

    @property
    def may_have_started(self) -> bool:
        """Whether a charge may have started under this id, as far as is known."""
        return self.is_accepted or self.is_resolved or self.state in (State.PENDING, State.UNKNOWN)

    @property
    def first_sending(self) -> float:
        """The earliest time, in seconds since the epoch, of a sending that may have started a charge.

        An older version claims an attempt again without writing ``firstSentAt``. It claims only what certainly was not started,
        or what its server repeats safely, so that the claim itself is the first sending; the lease shows when that was.
        """
        claimed = self.lease - LONGEST_HOLD
        if self.firstSentAt is None:
            return claimed if self.tries > 1 else max(claimed, parse_timestamp(self.createdAt))
        first = parse_timestamp(self.firstSentAt)
        is_current = self.sentAt is not None and parse_timestamp(self.sentAt) >= claimed
        return first if is_current or self.is_resolved else max(first, claimed)

    @property
    def last_sending(self) -> float:
        """The latest time of a sending, in seconds since the epoch: the newest holder may have sent until its lease ended."""
        return self.lease

    @property
    def transactions(self) -> dict[str, dict[str, Any]]:
        """All recorded transactions of the attempt, by id."""
        own = {self.transaction["id"]: self.transaction} if self.transaction else {}
        return own | (self.otherTransactions or {})


def mask(token: str | None) -> str | None:
    """Return a token as it may be stored or logged: its last four characters if it has 12 or more, else none."""
    if token is None:
        return None
    return f"****{token[-4:]}" if len(token) >= 12 else "****"


def fingerprint(secret: bytes, *fields: str | int | None) -> bytes:
    """Return the HMAC-SHA-256 of a request's fields and its caller: 32 bytes."""
    return hmac.digest(secret, json.dumps(fields).encode(), "sha256")


def timestamp(now: float) -> str:
    """Return `now`, in seconds since the epoch, as ISO 8601 in UTC with microseconds: the texts sort by time."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_timestamp(text: str) -> float:
    """Return a time that `timestamp` wrote, in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def transaction_map(transaction: Transaction) -> dict[str, Any]:
    """Return a transaction as an attempt stores it: id, and both times in ISO 8601 or None."""
    started, stopped = transaction.started_at, transaction.stopped_at
    return {
        "id": transaction.id,
        "startedAt": None if started is None else timestamp(started),
        "stoppedAt": None if stopped is None else timestamp(stopped),
    }


def _value(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return float(value) if "." in value else int(value)
        case "B":
            return b64decode(value)
        case "M":
            return {name: _value(inner) for name, inner in value.items()}
        case "NULL":
            return None
        case _:
            return value


def attribute(value: str | float | bytes | bool | dict[str, Any] | None) -> dict[str, Any]:
    """Return one value in DynamoDB's notation."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case bytes():
            return {"B": b64encode(value).decode()}
        case dict():
            return {"M": {name: attribute(inner) for name, inner in value.items()}}
        case _:
            return {"N": str(value)}

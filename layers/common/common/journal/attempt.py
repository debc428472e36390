"""An attempt, and how it is read from and written to its DynamoDB item."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

Item = dict[str, dict[str, Any]]  # DynamoDB's notation: {"id": {"S": "..."}}


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
        """Return the state at `now`: a pending attempt whose lease expired has died, and its outcome is unknown."""
        return State.UNKNOWN if self.state is State.PENDING and self.lease < now else self.state


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

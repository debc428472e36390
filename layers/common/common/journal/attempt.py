"""An attempt, and how it stands in its item."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

Item = dict[str, dict[str, Any]]  # DynamoDB's own notation: {"id": {"S": "..."}}


class State(StrEnum):
    """What is known of an attempt. Knowledge only grows: nothing leaves ``completed``."""

    PENDING = "pending"  # claimed; what became of it is not known yet
    COMPLETED = "completed"  # accepted, rejected, or a status told
    FAILED = "failed"  # certainly nothing was started
    UNKNOWN = "unknown"  # sent, and the outcome is not known


class Attempt(NamedTuple):
    """Everything that happened under one request id.

    ``lease`` is in seconds since the epoch; ``milliseconds`` holds what each step took; ``answer`` is the body
    that the caller heard, ``problem`` its type and detail where there was none; ``url`` is where the server's API begins.
    ``attemptKey`` is random. The first write sets it, and every later write keeps it: the id may be used again after the item was
    deleted, the key is not. Version 1.0 wrote none.
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
        """Read an item; what it does not have keeps its default, what it has beside is left alone."""
        known = {name: _value(item[name]) for name in cls._fields if name in item}
        known["state"] = State(known["state"])
        return cls(**known)

    def is_same(self, other: Attempt) -> bool:
        """Return whether both are one attempt; False where the item was deleted and its id used again."""
        if self.attemptKey and other.attemptKey:
            return self.attemptKey == other.attemptKey
        return self.createdAt == other.createdAt

    def is_same_try(self, other: Attempt) -> bool:
        """Return whether both are one try of one attempt."""
        return self.is_same(other) and self.tries == other.tries

    def known_state(self, now: float) -> State:
        """The state to show: a pending attempt whose lease is over died, and what it did is not known."""
        return State.UNKNOWN if self.state is State.PENDING and self.lease < now else self.state


def masked(token: str | None) -> str | None:
    """A token as it may be kept or logged: its last four characters from 12 on, else none of it."""
    if token is None:
        return None
    return f"****{token[-4:]}" if len(token) >= 12 else "****"


def fingerprint(secret: bytes, *meaning: str | int | None) -> bytes:
    """HMAC-SHA-256 over everything that a request means and who sent it: 32 bytes."""
    return hmac.digest(secret, json.dumps(meaning).encode(), "sha256")


def timestamp(now: float) -> str:
    """`now`, in seconds since the epoch, as ISO 8601 in UTC with microseconds: sorts as it counts."""
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
    """One value in DynamoDB's notation."""
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

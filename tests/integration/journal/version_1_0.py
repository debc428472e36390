"""The journal of version 1.0, copied from its source at 1dc26ed: item, expressions, decisions and callback paths.

During a canary and after a rollback it works on the same table as the current version. It is a record: do not change it with the
current one. Its `Journal` has the methods that the flow and the callback function use, so either journal can serve them.
"""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, Any

from common.journal import (
    Attempt,
    Claimed,
    ConditionFailed,
    JournalUnavailable,
    Mismatch,
    Opening,
    Pending,
    Replay,
    Settlement,
    State,
    Unknown,
)
from common.journal.attempt import attribute, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from common.journal import Claim, DynamoDB
    from common.journal.attempt import Item
    from common.transport import Deadline

REPEAT_WINDOW = 3600.0
LIFETIME = 86400
_OUTCOME = ("answer", "problem", "milliseconds")
_ROUNDS = 4
# It ignores every attribute that it does not have.
ATTRIBUTES = frozenset(
    (
        *("id", "chargerId", "state", "createdAt", "updatedAt", "server", "dialect", "connectorId", "token"),
        *("tries", "owner", "lease", "fingerprint", "caller", "traceId", *_OUTCOME),
        *("remoteStartId", "url", "expiresAt"),
    )
)


def path(secret: bytes, attempt: Attempt, now: float) -> str:
    """Return the path of a callback: ``id/expiry/signature``."""
    expires = int(now) + LIFETIME
    return f"{attempt.id}/{expires}/{_signature(secret, attempt, expires)}"


def signed(secret: bytes, attempt: Attempt, expires: str, signature: str) -> bool:
    return hmac.compare_digest(
        signature.encode(errors="replace"), _signature(secret, attempt, int(expires)).encode()
    )


def _signature(secret: bytes, attempt: Attempt, expires: int) -> str:
    key = hmac.digest(secret, b"charger-connect: path of a callback", "sha256")
    return hmac.digest(key, f"{attempt.id}/{expires}/{attempt.tries}".encode(), "sha256").hex()


def read(item: Item) -> Attempt:
    return Attempt.of({name: value for name, value in item.items() if name in ATTRIBUTES})


class Journal:
    """Claims, settles and completes attempts as version 1.0 does."""

    def __init__(
        self,
        dynamodb: DynamoDB,
        table: str,
        *,
        retention_days: int = 90,
        repeatable: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention_days * 86400
        self._repeatable = frozenset(repeatable)
        self._clock = clock

    def close(self) -> None:
        self._dynamodb.close()

    def claim(self, opening: Opening, deadline: Deadline) -> Claim:
        owner = secrets.token_urlsafe(12)
        doubt = opening.token is not None
        for _ in range(_ROUNDS):
            try:
                return Claimed(self._open(opening, owner, deadline))
            except ConditionFailed as failed:
                if failed.item is None:
                    raise JournalUnavailable("no-item") from failed
                old = read(failed.item)
            verdict = self._judge(old, opening, owner)
            if verdict is not None:
                return verdict
            try:
                return Claimed(self._take_over(old, opening, owner, deadline), doubt)
            except ConditionFailed as failed:
                now = read(failed.item) if failed.item else None
                if now and now.owner == owner and now.state is State.PENDING:
                    return Claimed(now, doubt)
            except JournalUnavailable as error:
                raise JournalUnavailable(error.reason, doubt=doubt) from error
        return Pending(old, 1)

    def settle(self, claimed: Claimed, settlement: Settlement, deadline: Deadline) -> Attempt | None:
        mine = claimed.attempt
        sets: dict[str, Any] = {"state": settlement.state, "updatedAt": timestamp(self._clock())}
        for name in _OUTCOME:
            value = getattr(settlement, name)
            if value is not None:
                sets[name] = value
        if settlement.state is State.COMPLETED:
            over = [State.PENDING, State.UNKNOWN, *([State.FAILED] if settlement.started else [])]
            values: dict[str, Any] = {f":over{number}": state for number, state in enumerate(over)}
            condition = f"#state IN ({', '.join(values)})"
            # With a flag, of which the flow made: an answer, by a dialect that calls back.
            if settlement.answer is not None and mine.dialect == "citrineos":
                condition += " OR (#owner = :mine AND #state = :state AND #answer = :answer)"
                values[":mine"] = mine.owner
        else:
            condition = "#state = :pending AND #owner = :mine"
            values = {":pending": State.PENDING, ":mine": mine.owner}
        remove = ("problem",) if "problem" not in sets else ()
        try:
            self._update(mine.id, sets, condition, values, deadline, remove=remove)
        except ConditionFailed as failed:
            if failed.item is None:
                raise JournalUnavailable("item-deleted") from failed
            now = read(failed.item)
            if now.owner == mine.owner and now.state is settlement.state and now.answer == settlement.answer:
                return None
            return now
        return None

    def complete_late(
        self,
        attempt: Attempt,
        answer: dict[str, Any],
        deadline: Deadline,
        *,
        started: bool = False,
        transaction: object = None,
    ) -> bool:
        """Record a late answer as version 1.0 does: an acceptance is no different from a rejection, and has no transaction."""
        del started, transaction
        sets = {"state": State.COMPLETED, "answer": answer, "updatedAt": timestamp(self._clock())}
        values = {":pending": State.PENDING, ":unknown": State.UNKNOWN, ":tries": attempt.tries}
        condition = "#state IN (:pending, :unknown) AND tries = :tries"
        try:
            self._update(attempt.id, sets, condition, values, deadline, remove=("problem",))
        except ConditionFailed:
            return False
        return True

    def get(self, id_: str, deadline: Deadline) -> Attempt | None:
        found = self._dynamodb.call(
            "GetItem", {"TableName": self._table, "Key": {"id": {"S": id_}}, "ConsistentRead": True}, deadline
        ).get("Item")
        return read(found) if found else None

    def _open(self, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        now = self._clock()
        sets = {
            "chargerId": opening.charger_id,
            "server": opening.server,
            "dialect": opening.dialect,
            "fingerprint": opening.fingerprint,
            "expiresAt": int(now) + self._retention,
            **_held(opening, owner, now),
        }
        optional = {
            "connectorId": opening.connector,
            "token": opening.token,
            "remoteStartId": None if opening.token is None else _remote_start_id(opening.id),
            "url": opening.url,
        }
        sets |= {name: value for name, value in optional.items() if value is not None}
        absent = tuple(name for name, value in optional.items() if value is None)
        answer = self._update(
            opening.id,
            sets,
            "attribute_not_exists(id) OR (#fingerprint = :fingerprint AND #state = :failed)",
            {":failed": State.FAILED},
            deadline,
            created=timestamp(now),
            remove=(*_OUTCOME, *absent),
        )
        return read(answer["Attributes"])

    def _take_over(self, old: Attempt, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        answer = self._update(
            old.id,
            _held(opening, owner, self._clock()),
            "#owner = :theirs AND #state = :found",
            {":theirs": old.owner, ":found": old.state},
            deadline,
            created=old.createdAt,
            remove=_OUTCOME,
        )
        return read(answer["Attributes"])

    def _judge(self, old: Attempt, opening: Opening, owner: str) -> Claim | None:
        now = self._clock()
        if old.fingerprint != opening.fingerprint:
            return _mismatch(old)
        if old.state is State.COMPLETED:
            return Replay(old)
        if old.owner == owner:
            return Claimed(old)
        if old.state is State.PENDING and old.lease >= now:
            return Pending(old, max(1, ceil(old.lease - now)))
        if opening.token is None:
            return None
        if old.dialect in self._repeatable and old.createdAt >= timestamp(now - REPEAT_WINDOW):
            return None
        return Unknown(old)

    def _update(
        self,
        id_: str,
        sets: dict[str, Any],
        condition: str,
        values: dict[str, Any],
        deadline: Deadline,
        created: str | None = None,
        remove: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sets)
        bound = {**{f":{name}": value for name, value in sets.items()}, **values}
        if created:
            expression += ", createdAt = if_not_exists(createdAt, :created)"
        if remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
        if created:
            expression += " ADD tries :one"
            bound |= {":created": created, ":one": 1}
        names = {f"#{name}": name for name in (*sets, *remove, "state")}
        if "#owner" in condition:
            names["#owner"] = "owner"
        return self._dynamodb.call(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": {"id": {"S": id_}},
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {name: attribute(value) for name, value in bound.items()},
                "ReturnValues": "ALL_NEW" if created else "NONE",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            deadline,
        )


def _held(opening: Opening, owner: str, now: float) -> dict[str, Any]:
    held = {
        "state": State.PENDING,
        "owner": owner,
        "lease": round(opening.lease, 3),
        "updatedAt": timestamp(now),
        "caller": opening.caller,
    }
    return held | ({"traceId": opening.trace_id} if opening.trace_id else {})


def _remote_start_id(id_: str) -> int:
    return (int.from_bytes(sha256(id_.encode()).digest()[:4], "big") & 0x7FFFFFFF) or 1


def _mismatch(old: Attempt) -> Mismatch:
    """Return the verdict, which had no fields in version 1.0."""
    return Mismatch(*[old][: len(getattr(Mismatch, "_fields", ()))])

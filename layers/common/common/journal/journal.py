"""Claim, settle, look: the three things done with an attempt.

Both writes are conditional and may be repeated by a retry below us, after the table has applied them and the
answer was lost. So a failed condition whose old item carries our own owner means that we had already won.
Every write but the first is conditional on the item being the same attempt: an update of a deleted item makes no new one,
and an attempt that uses the id again is not touched.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from common.journal.attempt import Attempt, Item, State, attribute, timestamp
from common.journal.dynamodb import Backoff, ConditionFailed, JournalUnavailable
from common.transport.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from common.journal.dynamodb import DynamoDB
    from common.transport import Deadline

REPEAT_WINDOW = 3600.0  # seconds after createdAt in which a repeatable dialect may be asked again; servers keep ids for 24 h
_DAY = 86400
_INDEX = "byCharger"
_NOBODY = "nobody"  # no GUID, so no attempt's id
_OUTCOME = ("answer", "problem", "milliseconds")
_FIRST_PAGE = 10  # attempts that are read first for a charger's server: its newest nearly always names it
_SEARCHED = 100  # attempts that are read at most
_ROUNDS = 4  # how often a claim looks again when others change the item between its two writes


class Opening(NamedTuple):
    """What a claim writes. ``token`` is masked already; ``lease`` is in seconds since the epoch."""

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


class Claimed(NamedTuple):
    """The attempt is ours. ``doubt``: an earlier try may have reached the server, so ours is a repeat of it."""

    attempt: Attempt
    doubt: bool = False


class Replay(NamedTuple):
    """Completed before: its answer is to be told again."""

    attempt: Attempt


class Pending(NamedTuple):
    """Another invocation holds it, and is believed alive for ``retry_after`` seconds more."""

    attempt: Attempt
    retry_after: int


class Mismatch(NamedTuple):
    """The id belongs to `attempt`, which has another content or another caller."""

    attempt: Attempt


class Unknown(NamedTuple):
    """It may have started, and the server cannot be asked again."""

    attempt: Attempt


Claim = Claimed | Replay | Pending | Mismatch | Unknown


class Settlement(NamedTuple):
    """What became of a claimed attempt; ``started``: the charger accepted a start."""

    state: State
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    milliseconds: dict[str, Any] | None = None
    started: bool = False


class KnownServers(NamedTuple):
    """The servers ("address:port") of a charger's newest attempts: of the newest one in which the charger answered, and of the
    newest one whose outcome is not known."""

    answered: str | None = None
    unknown: str | None = None


class Page(NamedTuple):
    """Attempts, newest first; ``next`` is the index key to go on from."""

    attempts: list[Attempt]
    next: Item | None


class Journal:
    """The attempts of one table. Safe to share between threads."""

    def __init__(
        self,
        dynamodb: DynamoDB,
        table: str,
        *,
        retention_days: int = 90,
        repeatable: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`repeatable` names the dialects whose start may be sent again under the same id; `clock` is in seconds
        since the epoch."""
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention_days * _DAY
        self._repeatable = repeatable
        self._clock = clock

    def close(self) -> None:
        """Close the idle connections to the table; the next call makes a new one."""
        self._dynamodb.close()

    def claim(self, opening: Opening, deadline: Deadline) -> Claim:
        """Make the attempt ours, or learn why not: one conditional write, a second one where another's is taken over.

        Raises
        ------
        JournalUnavailable
            Nothing was sent to any charger by this claim; with its ``doubt``, perhaps by one before.
        """
        owner = secrets.token_urlsafe(12)
        doubt = opening.token is not None  # of a takeover; a status starts nothing
        for _ in range(_ROUNDS):
            try:
                return Claimed(self._open(opening, owner, deadline))
            except ConditionFailed as failed:
                if failed.item is None:  # no condition fails where nothing is
                    raise JournalUnavailable("no-item") from failed
                old = Attempt.of(failed.item)
            verdict = self._judge(old, opening.fingerprint, owner, starts=doubt)
            if verdict is not None:
                return verdict
            try:
                return Claimed(self._take_over(old, opening, owner, deadline), doubt)
            except ConditionFailed as failed:
                now = Attempt.of(failed.item) if failed.item else None
                if now and now.owner == owner and now.state is State.PENDING:
                    return Claimed(now, doubt)
            except JournalUnavailable as error:
                error.doubt = doubt
                raise
        return Pending(old, 1)

    def look(
        self, id_: str, meaning: bytes, deadline: Deadline, *, starts: bool
    ) -> Replay | Pending | Mismatch | Unknown | None:
        """Return what a claim would find, where none may be made now; None where nothing was started under the id.

        `meaning` is the request's fingerprint; ``starts``: whether it has a token.

        Raises
        ------
        JournalUnavailable
        """
        old = self.get(id_, deadline)
        if old is None or (old.state is State.FAILED and old.fingerprint == meaning):
            return None
        verdict = self._judge(old, meaning, owner="", starts=starts)
        if verdict is None and starts:
            return Unknown(old)
        return None if isinstance(verdict, Claimed) else verdict

    def settle(self, claimed: Claimed, settlement: Settlement, deadline: Deadline) -> Attempt | None:
        """Record what became of it.

        Returns
        -------
        Attempt | None
            None when it stands recorded as ours; else the attempt as it is now, because somebody knew more or holds it.

        Raises
        ------
        JournalUnavailable
            It may not be recorded, or the item is no longer this attempt: nobody may be told a success.
        """
        mine = claimed.attempt
        same, values = _same(mine)
        sets: dict[str, Any] = {"state": settlement.state, "updatedAt": timestamp(self._clock())}
        for name in _OUTCOME:
            value = getattr(settlement, name)
            if value is not None:
                sets[name] = value
        if settlement.state is State.COMPLETED:
            # A charger that took the start outweighs another try's inference that nothing was started.
            over = [State.PENDING, State.UNKNOWN, *([State.FAILED] if settlement.started else [])]
            found = {f":over{number}": state for number, state in enumerate(over)}
            condition = f"#state IN ({', '.join(found)})"
            values |= found
            if settlement.answer is not None and settlement.milliseconds is not None:
                # A callback has recorded the same answer, without what the steps took.
                same_answer = "#owner = :mine AND #state = :state AND #answer = :answer"
                condition += f" OR ({same_answer} AND attribute_not_exists(#milliseconds))"
                values[":mine"] = mine.owner
        else:
            condition = "#state = :pending AND #owner = :mine"
            values |= {":pending": State.PENDING, ":mine": mine.owner}
        try:
            self._update(
                mine.id,
                sets,
                f"{same} AND ({condition})",
                values,
                deadline,
                remove=("problem",) if "problem" not in sets else (),
            )
        except ConditionFailed as failed:
            if failed.item is None:  # deleted meanwhile: nothing is recorded, and nothing can be
                raise JournalUnavailable("item-deleted") from failed
            now = Attempt.of(failed.item)
            if not now.is_same(mine):  # deleted, and the id used again: what it says is about another attempt
                raise JournalUnavailable("item-replaced") from failed
            if now.owner == mine.owner and now.state is settlement.state and now.answer == settlement.answer:
                return None
            return now
        return None

    def learn(self, attempt: Attempt, answer: dict[str, Any], deadline: Deadline) -> bool:
        """Record what a server said after all about this try: a pending or unknown attempt becomes completed, nothing else changes.

        Returns
        -------
        bool
            Whether it did.

        Raises
        ------
        JournalUnavailable
            It may not be recorded.
        """
        sets = {"state": State.COMPLETED, "answer": answer, "updatedAt": timestamp(self._clock())}
        same, values = _same(attempt)
        values |= {":pending": State.PENDING, ":unknown": State.UNKNOWN, ":tries": attempt.tries}
        condition = f"{same} AND #state IN (:pending, :unknown) AND tries = :tries"
        try:
            self._update(attempt.id, sets, condition, values, deadline, remove=("problem",))
        except ConditionFailed:
            return False
        return True

    def note_problem(self, attempt: Attempt, problem: dict[str, Any], deadline: Deadline) -> bool:
        """Record that no answer will follow for this try: the invocation that waits for one reads it, and settles.

        The attempt stays pending, and an answer that follows all the same still completes it.

        Returns
        -------
        bool
            Whether the attempt was still pending.

        Raises
        ------
        JournalUnavailable
            It may not be recorded.
        """
        sets = {"problem": problem, "updatedAt": timestamp(self._clock())}
        same, values = _same(attempt)
        values |= {":pending": State.PENDING, ":tries": attempt.tries}
        condition = f"{same} AND #state = :pending AND tries = :tries"
        try:
            self._update(attempt.id, sets, condition, values, deadline)
        except ConditionFailed:
            return False
        return True

    def get(self, id_: str, deadline: Deadline) -> Attempt | None:
        """The attempt with this id, strongly consistent."""
        found = self._dynamodb.call(
            "GetItem", {"TableName": self._table, "Key": {"id": {"S": id_}}, "ConsistentRead": True}, deadline
        ).get("Item")
        return Attempt.of(found) if found else None

    def newest(self, charger_id: str, limit: int, start: Item | None, deadline: Deadline) -> Page:
        """At most `limit` attempts of a charger, newest first: one query of keys and one batch of items."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": _INDEX,
            "KeyConditionExpression": "chargerId = :charger",
            "ExpressionAttributeValues": {":charger": {"S": charger_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if start:
            query["ExclusiveStartKey"] = start
        page = self._dynamodb.call("Query", query, deadline)
        keys = [{"id": key["id"]} for key in page["Items"]]
        found = {attempt.id: attempt for attempt in self._batch(keys, deadline)}
        return Page(
            [found[key["id"]["S"]] for key in keys if key["id"]["S"] in found], page.get("LastEvaluatedKey")
        )

    def newest_servers(
        self, charger_id: str, answered: Callable[[Attempt], bool], deadline: Deadline
    ) -> KnownServers:
        """Return the servers that the charger's newest 100 attempts name; `answered` decides whether the charger itself
        answered in an attempt. Reads no further than the newest one in which it did."""
        unknown: str | None = None
        start: Item | None = None
        for limit in (_FIRST_PAGE, _SEARCHED - _FIRST_PAGE):
            page = self.newest(charger_id, limit, start, deadline)
            for attempt in page.attempts:
                if attempt.server and answered(attempt):
                    return KnownServers(attempt.server, unknown)
                if attempt.state is State.UNKNOWN:
                    unknown = unknown or attempt.server
            start = page.next
            if start is None:
                break
        return KnownServers(None, unknown)

    def prove(self, operations: Collection[str], deadline: Deadline) -> None:
        """Carry out each of the operations (``GetItem``, ``UpdateItem`` ...) on an item that there never is: nothing changes.

        Raises
        ------
        JournalUnavailable
            The first that does not go through; ``AccessDeniedException`` is its reason where a right is missing.
        """
        key, table = {"id": {"S": _NOBODY}}, {"TableName": self._table}
        bodies: dict[str, dict[str, Any]] = {
            "GetItem": {**table, "Key": key},
            "BatchGetItem": {"RequestItems": {self._table: {"Keys": [key]}}},
            "Query": {
                **table,
                "IndexName": _INDEX,
                "KeyConditionExpression": "chargerId = :charger",
                "ExpressionAttributeValues": {":charger": {"S": _NOBODY}},
                "Limit": 1,
            },
            "UpdateItem": {
                **table,
                "Key": key,
                "UpdateExpression": "REMOVE answer",
                "ConditionExpression": "attribute_exists(id)",
            },
        }
        for operation in operations:
            with suppress(ConditionFailed):
                self._dynamodb.call(operation, bodies[operation], deadline)

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
            first={"createdAt": timestamp(now), "attemptKey": secrets.token_urlsafe(12)},
            remove=(*_OUTCOME, *absent),
        )
        return Attempt.of(answer["Attributes"])

    def _take_over(self, old: Attempt, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        same, values = _same(old)
        answer = self._update(
            old.id,
            _held(opening, owner, self._clock()),
            f"{same} AND #owner = :theirs AND #state = :found",
            {**values, ":theirs": old.owner, ":found": old.state},
            deadline,
            first={"createdAt": old.createdAt},
            remove=_OUTCOME,
        )
        return Attempt.of(answer["Attributes"])

    def _judge(self, old: Attempt, meaning: bytes, owner: str, *, starts: bool) -> Claim | None:
        """The table of the claim; None where the attempt may be taken over."""
        now = self._clock()
        if old.fingerprint != meaning:
            return Mismatch(old)
        if old.state is State.COMPLETED:
            return Replay(old)
        if old.owner == owner:
            return Claimed(old)
        if old.state is State.PENDING and old.lease >= now:
            return Pending(old, retry_after(old.lease - now))
        if not starts:  # a status was asked: nothing was ever started
            return None
        if old.dialect in self._repeatable and old.createdAt >= timestamp(now - REPEAT_WINDOW):
            return None
        return Unknown(old)

    def _batch(self, keys: list[Item], deadline: Deadline) -> list[Attempt]:
        found: list[Attempt] = []
        backoff = Backoff(deadline)
        while keys:
            answer = self._dynamodb.call(
                "BatchGetItem", {"RequestItems": {self._table: {"Keys": keys}}}, deadline
            )
            found += [Attempt.of(item) for item in answer["Responses"].get(self._table, [])]
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if keys:  # the table throttles
                backoff.pause("UnprocessedKeys")
        return found

    def _update(
        self,
        id_: str,
        sets: dict[str, Any],
        condition: str,
        values: dict[str, Any],
        deadline: Deadline,
        first: dict[str, str] | None = None,
        remove: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """One conditional UpdateItem; with `first` it is a claim, which counts a try and hears the whole item. What `first`
        holds is written where the item does not have it."""
        expression, names = _expression(tuple(sets), tuple(first or ()), remove)
        bound = {**{f":{name}": value for name, value in (sets | (first or {})).items()}, **values}
        if first:
            bound[":one"] = 1
        if "#owner" in condition:
            names = {**names, "#owner": "owner"}
        return self._dynamodb.call(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": {"id": {"S": id_}},
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {name: attribute(value) for name, value in bound.items()},
                "ReturnValues": "ALL_NEW" if first else "NONE",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            deadline,
        )


@lru_cache(maxsize=64)  # a handful of shapes, of which a request has two
def _expression(
    sets: tuple[str, ...], first: tuple[str, ...], remove: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """The update expression, and the names that stand in it and in its condition."""
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sets)
    for name in first:
        expression += f", {name} = if_not_exists({name}, :{name})"
    if remove:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
    if first:
        expression += " ADD tries :one"
    return expression, {f"#{name}": name for name in (*sets, *remove, "state")}


def _same(attempt: Attempt) -> tuple[str, dict[str, Any]]:
    """Return the condition, and its values, that the item exists and still is this attempt."""
    if attempt.attemptKey is None:  # version 1.0 wrote it
        return "attribute_not_exists(attemptKey) AND createdAt = :createdAt", {
            ":createdAt": attempt.createdAt
        }
    return "attemptKey = :attemptKey", {":attemptKey": attempt.attemptKey}


def _held(opening: Opening, owner: str, now: float) -> dict[str, Any]:
    """Who holds the attempt from now on, and until when it is believed alive."""
    held = {
        "state": State.PENDING,
        "owner": owner,
        "lease": round(opening.lease, 3),
        "updatedAt": timestamp(now),
        "caller": opening.caller,
    }
    return held | ({"traceId": opening.trace_id} if opening.trace_id else {})

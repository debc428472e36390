"""The journal of the version before unfinished attempts were looked for, copied from its source at 6c999ea, without docstrings.

During a canary and after a rollback it works on the same table as the current version. It is a record: do not change it with the
current one. It writes neither the keys of the index `unfinished` nor any of the attributes that came with them, and ignores them.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from common.journal import (
    Attempt,
    Claimed,
    ConditionFailed,
    JournalUnavailable,
    Mismatch,
    Pending,
    Replay,
    Settlement,
    State,
    Unknown,
)
from common.journal import Journal as CurrentJournal
from common.journal.attempt import timestamp
from common.journal.claim import REPEAT_WINDOW, Takeover
from common.journal.update import Condition, Update
from common.journal.update import same_attempt as _same_attempt
from common.transport.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Collection

    from common.journal import Claim, DynamoDB, Opening
    from common.journal.attempt import Item
    from common.transport import Deadline

OUTCOME_FIELDS = ("answer", "problem", "milliseconds")
_MAX_ROUNDS = 4
# It ignores every attribute that it does not have.
ATTRIBUTES = frozenset(
    (
        *("id", "chargerId", "state", "createdAt", "updatedAt", "server", "dialect", "connectorId", "token"),
        *("tries", "owner", "lease", "fingerprint", "caller", "traceId", *OUTCOME_FIELDS),
        *("url", "expiresAt", "attemptKey"),
    )
)


def read(item: Item) -> Attempt:
    return Attempt.of({name: value for name, value in item.items() if name in ATTRIBUTES})


class Journal(CurrentJournal):
    """Claims, settles and completes attempts as that version does."""

    def claim(self, opening: Opening, deadline: Deadline) -> Claim:
        owner = secrets.token_urlsafe(12)
        for _ in range(_MAX_ROUNDS):
            try:
                return Claimed(self._open(opening, owner, deadline))
            except ConditionFailed as failed:
                if failed.item is None:  # the condition holds if there is no item
                    raise JournalUnavailable("no-item") from failed
                old = read(failed.item)
            decision = decide(
                old, opening.fingerprint, owner, self.clock(), self._repeatable, starts=opening.starts
            )
            if not isinstance(decision, Takeover):
                return decision
            try:
                return Claimed(self._take_over(old, opening, owner, deadline), decision.doubt)
            except ConditionFailed as failed:
                now = read(failed.item) if failed.item else None
                if now and now.owner == owner and now.state is State.PENDING:
                    return Claimed(now, decision.doubt)
            except JournalUnavailable as error:
                raise JournalUnavailable(error.reason, doubt=decision.doubt) from error
        return Pending(old, 1)

    def settle(self, claimed: Claimed, settlement: Settlement, deadline: Deadline) -> Attempt | None:
        mine = claimed.attempt
        try:
            self._update(settle(mine, settlement, self.clock()), deadline)
        except ConditionFailed as failed:
            if failed.item is None:
                raise JournalUnavailable("item-deleted") from failed
            now = read(failed.item)
            if not now.is_same(mine):  # the item was deleted, and another attempt uses its id
                raise JournalUnavailable("item-replaced") from failed
            return None if settlement.is_recorded_in(now, mine) else now
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
        del transaction
        return self._applies(complete_late(attempt, answer, self.clock(), started=started), deadline)

    def note_problem(self, attempt: Attempt, problem: dict[str, Any], deadline: Deadline) -> bool:
        return self._applies(note_problem(attempt, problem, self.clock()), deadline)

    def get(self, id_: str, deadline: Deadline) -> Attempt | None:
        return _get(self._dynamodb, self._table, id_, deadline)

    def _open(self, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        key = secrets.token_urlsafe(12)
        update = open_attempt(opening, owner, key, self.clock(), self.retention)
        return read(self._update(update, deadline)["Attributes"])

    def _take_over(self, old: Attempt, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        update = take_over(old, opening, owner, self.clock())
        return read(self._update(update, deadline)["Attributes"])

    def _applies(self, update: Update, deadline: Deadline) -> bool:
        try:
            self._update(update, deadline)
        except ConditionFailed:
            return False
        return True

    def _update(self, update: Update, deadline: Deadline) -> dict[str, Any]:
        return self._dynamodb.call("UpdateItem", update.body(self._table), deadline)


def open_attempt(opening: Opening, owner: str, key: str, now: float, retention: int) -> Update:
    optional = {"connectorId": opening.connector, "token": opening.token, "url": opening.url}
    sets = {
        "chargerId": opening.charger_id,
        "server": opening.server,
        "dialect": opening.dialect,
        "fingerprint": opening.fingerprint,
        "expiresAt": int(now) + retention,
        **_holder(opening, owner, now),
        **{name: value for name, value in optional.items() if value is not None},
    }
    absent = tuple(name for name, value in optional.items() if value is None)
    return Update(
        opening.id,
        sets,
        Condition(
            "attribute_not_exists(id) OR (#fingerprint = :fingerprint AND #state = :failed)",
            ("fingerprint", "state"),
            {":failed": State.FAILED},
        ),
        initial={"createdAt": timestamp(now), "attemptKey": key},
        removes=(*OUTCOME_FIELDS, *absent),
        claims=True,
    )


def take_over(old: Attempt, opening: Opening, owner: str, now: float) -> Update:
    return Update(
        old.id,
        _holder(opening, owner, now),
        _same_attempt(
            old,
            "#owner = :theirs AND #state = :found",
            ("owner", "state"),
            {":theirs": old.owner, ":found": old.state},
        ),
        initial={"createdAt": old.createdAt},
        removes=OUTCOME_FIELDS,
        claims=True,
    )


def settle(mine: Attempt, settlement: Settlement, now: float) -> Update:
    sets: dict[str, Any] = {"state": settlement.state, "updatedAt": timestamp(now)}
    sets |= {name: value for name in OUTCOME_FIELDS if (value := getattr(settlement, name)) is not None}
    return Update(
        mine.id,
        sets,
        _completes(mine, settlement) if settlement.state is State.COMPLETED else _still_held(mine),
        removes=("problem",) if "problem" not in sets else (),
    )


def complete_late(attempt: Attempt, answer: dict[str, Any], now: float, *, started: bool) -> Update:
    states = {f":{state}": state for state in _completable(started)}
    return Update(
        attempt.id,
        {"state": State.COMPLETED, "answer": answer, "updatedAt": timestamp(now)},
        _same_attempt(
            attempt,
            f"#state IN ({', '.join(states)}) AND tries = :tries",
            ("state",),
            {**states, ":tries": attempt.tries},
        ),
        removes=("problem",),
    )


def note_problem(attempt: Attempt, problem: dict[str, Any], now: float) -> Update:
    return Update(
        attempt.id,
        {"problem": problem, "updatedAt": timestamp(now)},
        _same_attempt(
            attempt,
            "#state = :pending AND tries = :tries",
            ("state",),
            {":pending": State.PENDING, ":tries": attempt.tries},
        ),
    )


def _completable(started: bool) -> list[State]:
    return [State.PENDING, State.UNKNOWN, *([State.FAILED] if started else [])]


def _completes(mine: Attempt, settlement: Settlement) -> Condition:
    values: dict[str, Any] = {
        f":over{number}": state for number, state in enumerate(_completable(settlement.started))
    }
    text = f"#state IN ({', '.join(values)})"
    if settlement.provisional:
        # Another invocation may have taken the attempt over, and its start may be accepted.
        return _same_attempt(
            mine, f"{text} AND #owner = :mine", ("owner", "state"), values | {":mine": mine.owner}
        )
    if settlement.answer is None or settlement.milliseconds is None:
        return _same_attempt(mine, f"({text})", ("state",), values)
    # A callback may have recorded the same answer; it does not record the duration of the steps.
    same_answer = "#owner = :mine AND #state = :state AND #answer = :answer"
    return _same_attempt(
        mine,
        f"({text} OR ({same_answer} AND attribute_not_exists(#milliseconds)))",
        ("owner", "state", "answer", "milliseconds"),
        values | {":mine": mine.owner},
    )


def _still_held(mine: Attempt) -> Condition:
    return _same_attempt(
        mine,
        "(#state = :pending AND #owner = :mine)",
        ("state", "owner"),
        {":pending": State.PENDING, ":mine": mine.owner},
    )


def _holder(opening: Opening, owner: str, now: float) -> dict[str, Any]:
    holder = {
        "state": State.PENDING,
        "owner": owner,
        "lease": round(opening.lease, 3),
        "updatedAt": timestamp(now),
        "caller": opening.caller,
    }
    return holder | ({"traceId": opening.trace_id} if opening.trace_id else {})


def decide(
    old: Attempt,
    fingerprint: bytes,
    owner: str,
    now: float,
    repeatable: Collection[str],
    *,
    starts: bool,
) -> Claim | Takeover:
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
    if old.dialect in repeatable and old.createdAt >= timestamp(now - REPEAT_WINDOW):
        return Takeover(old, doubt=True)
    return Unknown(old)


def _get(dynamodb: DynamoDB, table: str, id_: str, deadline: Deadline) -> Attempt | None:
    body = {"TableName": table, "Key": {"id": {"S": id_}}, "ConsistentRead": True}
    found = dynamodb.call("GetItem", body, deadline).get("Item")
    return read(found) if found else None

"""The updates by which a claim opens, takes over and settles an attempt, and by which a callback completes it.

An update that completes or fails an attempt removes it from the index `unfinished`. An attempt that an operator resolved as not
started stays there, and only an acceptance completes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal.attempt import State, timestamp, transaction_map
from common.journal.index_keys import KEYS, NOT_DUE, shard_of
from common.journal.settlement import OUTCOME_FIELDS
from common.journal.update import Condition, Update, same_attempt

if TYPE_CHECKING:
    from common.journal.attempt import Attempt
    from common.journal.claim import Opening
    from common.journal.settlement import Settlement
    from common.remote_start.transaction import Transaction

_LOOK_FIELDS = ("lookedAt", "nothingFoundUntil", "sightings", "stop")  # about earlier tries
_UNRESOLVED = "attribute_not_exists(resolution)"


def open_attempt(opening: Opening, owner: str, key: str, now: float, retention: int) -> Update:
    """Return the first claim of an id: the item does not exist, or its attempt certainly failed and has the same fingerprint.

    `key` is the attempt's if the item has none; `retention` is in seconds.
    """
    optional = {
        "connectorId": opening.connector,
        "token": opening.token,
        "url": opening.url,
        "digest": opening.digest,
        "tenant": opening.tenant,
    }
    sets = {
        "chargerId": opening.charger_id,
        "server": opening.server,
        "dialect": opening.dialect,
        "fingerprint": opening.fingerprint,
        "expiresAt": int(now) + retention,
        "firstSentAt": timestamp(now),
        **_holder(opening, owner, now),
        **{name: value for name, value in optional.items() if value is not None},
    }
    absent = tuple(name for name, value in optional.items() if value is None)
    return Update(
        opening.id,
        sets,
        Condition(
            f"attribute_not_exists(id) OR (#fingerprint = :fingerprint AND #state = :failed AND {_UNRESOLVED})",
            ("fingerprint", "state"),
            {":failed": State.FAILED},
        ),
        initial={"createdAt": timestamp(now), "attemptKey": key},
        removes=(*OUTCOME_FIELDS, *_LOOK_FIELDS, *absent),
        claims=True,
    )


def take_over(old: Attempt, opening: Opening, owner: str, now: float) -> Update:
    """Return the claim of an attempt that another invocation held: the item is unchanged since `old` was read."""
    sets = {**_holder(opening, owner, now), "firstSentAt": timestamp(old.first_sending)}
    if opening.digest is not None:
        sets["digest"] = opening.digest  # an older version wrote none
    return Update(
        old.id,
        sets,
        same_attempt(
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
    """Return the write of a claim's result.

    ``completed`` replaces ``pending`` and ``unknown`` under any owner, unless it is provisional; any other state requires that the
    claim is still held. In an attempt that is resolved, only an acceptance replaces anything but by ``unknown``.
    """
    sets: dict[str, Any] = {"state": settlement.state, "updatedAt": timestamp(now)}
    sets |= {name: value for name in OUTCOME_FIELDS if (value := getattr(settlement, name)) is not None}
    if settlement.transaction is not None:
        sets["transaction"] = transaction_map(settlement.transaction)
    leaves = settlement.state is not State.UNKNOWN and not mine.is_resolved
    if settlement.state is State.UNKNOWN:
        sets["dueAt"] = NOT_DUE if settlement.due is None else round(settlement.due, 3)
    return Update(
        mine.id,
        sets,
        _completes(mine, settlement)
        if settlement.state is State.COMPLETED
        else _still_held(mine, settlement.state),
        removes=(*(("problem",) if "problem" not in sets else ()), *(KEYS if leaves else ())),
    )


def complete_late(
    attempt: Attempt,
    answer: dict[str, Any],
    now: float,
    *,
    started: bool,
    transaction: Transaction | None = None,
) -> Update:
    """Return the write of an answer that arrived after its request: the try is pending or unknown, or failed if it started."""
    states = {f":{state}": state for state in _completable(started)}
    sets: dict[str, Any] = {"state": State.COMPLETED, "answer": answer, "updatedAt": timestamp(now)}
    if transaction is not None:
        sets["transaction"] = transaction_map(transaction)
    text = f"#state IN ({', '.join(states)}) AND tries = :tries"
    return Update(
        attempt.id,
        sets,
        same_attempt(
            attempt,
            text + _unless_resolved(attempt, started=started),
            ("state",),
            {**states, ":tries": attempt.tries},
        ),
        removes=("problem",) if attempt.is_resolved else ("problem", *KEYS),
    )


def note_problem(attempt: Attempt, problem: dict[str, Any], now: float) -> Update:
    """Return the write of a problem that ends the wait for an answer: the try is pending, and stays it."""
    return Update(
        attempt.id,
        {"problem": problem, "updatedAt": timestamp(now)},
        same_attempt(
            attempt,
            "#state = :pending AND tries = :tries",
            ("state",),
            {":pending": State.PENDING, ":tries": attempt.tries},
        ),
    )


def _completable(started: bool) -> list[State]:
    """Return the states that a result replaces: an accepted start outweighs the conclusion that nothing was started."""
    return [State.PENDING, State.UNKNOWN, *([State.FAILED] if started else [])]


def _unless_resolved(attempt: Attempt, *, started: bool) -> str:
    """Return the part of a condition that keeps every result but an acceptance out of a resolved attempt.

    `attempt` was read before: if it was resolved since, its entry in the index must not be removed.
    """
    return "" if started and attempt.is_resolved else f" AND {_UNRESOLVED}"


def _completes(mine: Attempt, settlement: Settlement) -> Condition:
    values: dict[str, Any] = {
        f":over{number}": state for number, state in enumerate(_completable(settlement.started))
    }
    text = f"#state IN ({', '.join(values)})"
    unless = _unless_resolved(mine, started=settlement.started)
    if settlement.provisional:
        # Another invocation may have taken the attempt over, and its start may be accepted.
        return same_attempt(
            mine, f"{text} AND #owner = :mine{unless}", ("owner", "state"), values | {":mine": mine.owner}
        )
    if settlement.answer is None or settlement.milliseconds is None:
        return same_attempt(mine, f"({text}){unless}", ("state",), values)
    # A callback may have recorded the same answer; it does not record the duration of the steps.
    same_answer = "#owner = :mine AND #state = :state AND #answer = :answer"
    return same_attempt(
        mine,
        f"({text} OR ({same_answer} AND attribute_not_exists(#milliseconds))){unless}",
        ("owner", "state", "answer", "milliseconds"),
        values | {":mine": mine.owner},
    )


def _still_held(mine: Attempt, state: State) -> Condition:
    unless = f" AND {_UNRESOLVED}" if state is State.FAILED else ""
    return same_attempt(
        mine,
        f"(#state = :pending AND #owner = :mine){unless}",
        ("state", "owner"),
        {":pending": State.PENDING, ":mine": mine.owner},
    )


def _holder(opening: Opening, owner: str, now: float) -> dict[str, Any]:
    """Return the attributes of the invocation that holds the attempt from now on, until its lease ends."""
    holder = {
        "state": State.PENDING,
        "owner": owner,
        "lease": round(opening.lease, 3),
        "updatedAt": timestamp(now),
        "caller": opening.caller,
        "sentAt": timestamp(now),
        "shard": shard_of(opening.id),
        "dueAt": round(opening.lease if opening.due is None else opening.due, 3),
    }
    return holder | ({"traceId": opening.trace_id} if opening.trace_id else {})

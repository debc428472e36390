"""The updates that record what an OCPP server's records say of an attempt.

Each has the condition that the item still is the same try of the attempt, in the same state: a delayed write changes no later try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal.attempt import State, timestamp, transaction_map
from common.journal.index_keys import KEYS, NOT_DUE, shard_of
from common.journal.update import Condition, Update, same_try, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal.attempt import Attempt
    from common.remote_start.transaction import Transaction

# Problems of an attempt whose invocation died; the types are those that the connect function records.
_DIED = {
    "type": "outcome-unknown",
    "detail": "The invocation that sent the start ended without recording its outcome.",
}
_STATUS_DIED = {
    "type": "status-unknown",
    "detail": "The invocation that read the charger's status ended without recording it.",
}


def record_look(
    attempt: Attempt, now: float, due: float, *, matching: Mapping[str, str], nothing: bool
) -> Update:
    """Return the write of a look that did not complete the attempt; `due` is the next one.

    `matching` has the time of the first look for each transaction that matches, by `sighting`; ``nothing``: no row matched.
    An unknown attempt is added to the index if an older version wrote it. A finished one that is still in the index leaves it with
    the last look.
    """
    sets: dict[str, Any] = {"lookedAt": timestamp(now)}
    if nothing:
        sets["nothingFoundUntil"] = timestamp(now)
    if matching:
        sets["sightings"] = dict(matching)
    removes = () if matching else ("sightings",)
    if attempt.known_state(now) is State.UNKNOWN:
        sets |= {"shard": shard_of(attempt.id), "dueAt": _rounded(due)}
        if attempt.digest is not None:
            sets["digest"] = attempt.digest
        return Update(attempt.id, sets, same_try(attempt), removes=removes)
    if attempt.shard is None:
        return Update(attempt.id, sets, same_try(attempt), removes=removes)
    if due >= NOT_DUE:
        return Update(attempt.id, sets, same_try(attempt), removes=(*removes, *KEYS))
    sets["dueAt"] = _rounded(due)
    return Update(attempt.id, sets, _listed(attempt), removes=removes)


def expire(attempt: Attempt, now: float, due: float) -> Update:
    """Return the write of a pending attempt's end, after its lease: a start becomes unknown, and a status request failed."""
    sets: dict[str, Any] = {"updatedAt": timestamp(now)}
    if attempt.token is None:
        sets |= {"state": State.FAILED, "problem": _STATUS_DIED}
        return Update(attempt.id, sets, _expired(attempt, now), removes=KEYS)
    sets |= {"state": State.UNKNOWN, "shard": shard_of(attempt.id), "dueAt": _rounded(due)}
    if attempt.problem is None:
        sets["problem"] = _DIED
    return Update(attempt.id, sets, _expired(attempt, now))


def postpone(attempt: Attempt, due: float) -> Update:
    """Return the write of another time for the next look."""
    return Update(attempt.id, {"dueAt": _rounded(due)}, _listed(attempt))


def leave_index(attempt: Attempt) -> Update:
    """Return the removal of a finished attempt's entry from the index."""
    return Update(attempt.id, {}, same_try(attempt), removes=KEYS)


def complete_found(
    attempt: Attempt, answer: Mapping[str, Any], transaction: Transaction | None, now: float
) -> Update:
    """Return the completion of an attempt by what the server's records show: it was unknown, or an operator resolved it.

    Raises
    ------
    ValueError
        The attempt's state does not allow it.
    """
    if not (attempt.known_state(now) is State.UNKNOWN or _is_resolved_failure(attempt)):
        raise ValueError(attempt.state)
    return _complete(attempt, answer, transaction, now)


def complete_rejected(attempt: Attempt, answer: Mapping[str, Any], now: float) -> Update:
    """Return the completion of an unknown attempt by a refusal that the server recorded.

    Raises
    ------
    ValueError
        The attempt is not unknown, or an operator resolved it: another try may have started a charge.
    """
    if attempt.known_state(now) is not State.UNKNOWN or attempt.is_resolved:
        raise ValueError(attempt.state)
    return _complete(attempt, answer, None, now)


def add_transaction(attempt: Attempt, transaction: Transaction, now: float) -> Update:
    """Return the write of a completed attempt's transaction, of its end, or of a further transaction beside it.

    Raises
    ------
    ValueError
        The attempt is not completed.
    """
    if attempt.state is not State.COMPLETED:
        raise ValueError(attempt.state)
    written = transaction_map(transaction)
    sets: dict[str, Any] = {"updatedAt": timestamp(now)}
    if attempt.transaction is None or attempt.transaction["id"] == transaction.id:
        sets["transaction"] = written
    else:
        times = {name: written[name] for name in ("startedAt", "stoppedAt")}
        sets["otherTransactions"] = {**(attempt.otherTransactions or {}), transaction.id: times}
    return Update(attempt.id, sets, unchanged(attempt, "transaction", "otherTransactions"))


def take(url: str, transaction_id: str, attempt: Attempt, now: float, retention: int) -> Update:
    """Return the write by which an attempt takes a transaction of the server at `url`: no other attempt has taken it.

    It creates an item of its own, which is no attempt and has no state; `retention` is in seconds.
    """
    key = attempt.attemptKey or attempt.createdAt  # version 1.0 wrote no key
    return Update(
        f"transaction {url} {transaction_id}",
        {"takenBy": attempt.id, "takenKey": key, "expiresAt": int(now) + retention},
        Condition(
            "attribute_not_exists(id) OR (#takenBy = :takenBy AND #takenKey = :takenKey)",
            ("takenBy", "takenKey"),
            {},
        ),
    )


def _complete(
    attempt: Attempt, answer: Mapping[str, Any], transaction: Transaction | None, now: float
) -> Update:
    """Return the completion, unless an operator's word or another holder came in between."""
    sets = {
        "state": State.COMPLETED,
        "answer": dict(answer),
        "lookedAt": timestamp(now),
        "updatedAt": timestamp(now),
    }
    if transaction is not None:
        sets["transaction"] = transaction_map(transaction)
    resolution = "attribute_exists(resolution)" if attempt.resolution else "attribute_not_exists(resolution)"
    condition = (
        _expired(attempt, now, resolution)
        if attempt.state is State.PENDING
        else same_try(attempt, resolution)
    )
    return Update(
        attempt.id, sets, condition, removes=("problem",) if attempt.is_resolved else ("problem", *KEYS)
    )


def _expired(attempt: Attempt, now: float, text: str = "") -> Condition:
    """Return the condition that the attempt is pending, and its lease is over."""
    text = "#lease < :now" + (f" AND {text}" if text else "")
    return same_try(attempt, text, ("lease",), {":now": now})


def _listed(attempt: Attempt) -> Condition:
    """Return the condition that the attempt is in the index: an entry that another invocation removed is not added again."""
    return same_try(attempt, "attribute_exists(#shard)", ("shard",))


def _is_resolved_failure(attempt: Attempt) -> bool:
    return attempt.state is State.FAILED and attempt.is_resolved


def _rounded(due: float) -> float:
    return round(due, 3)

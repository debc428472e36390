"""Claim, settle and read the attempts of one table.

All writes are conditional. The client below retries them, so a write may have been applied although its response was lost:
a failed condition whose old item has the claim's own owner means that an earlier try of the same write succeeded.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from common.journal import access_check, expressions, history
from common.journal.attempt import Attempt, Item, State
from common.journal.claim import Claimed, Pending, Takeover, decide, decide_without_claim
from common.journal.dynamodb import ConditionFailed, JournalUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from common.journal.claim import Claim, Mismatch, Opening, Replay, Unknown
    from common.journal.dynamodb import DynamoDB
    from common.journal.history import KnownServers, Page
    from common.journal.settlement import Settlement
    from common.journal.unfinished import EntryPage
    from common.journal.update import Update
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline

_DAY = 86400
_RESOLVED_ROUNDS = 2  # an acceptance is written again if an operator resolved the attempt in the meantime
_MAX_ROUNDS = 4  # rounds of a claim, if other invocations change the item between its two writes


class Journal:
    """The attempts of one table. Safe to share between threads.

    Every method may raise `JournalUnavailable`; whether a write was applied is then unknown.
    """

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
        self.retention = retention_days * _DAY  # seconds
        self._repeatable = repeatable
        self.clock = clock

    def close(self) -> None:
        """Close the idle connections to the table; the next call opens a new one."""
        self._dynamodb.close()

    def claim(self, opening: Opening, deadline: Deadline) -> Claim:
        """Claim the attempt, or return why it cannot be claimed: one conditional write, and a second one for a takeover.

        Raises
        ------
        JournalUnavailable
            This claim sent nothing to any charger; if ``doubt`` is set, an earlier one may have.
        """
        owner = secrets.token_urlsafe(12)
        for _ in range(_MAX_ROUNDS):
            try:
                return Claimed(self._open(opening, owner, deadline))
            except ConditionFailed as failed:
                if failed.item is None:  # the condition holds if there is no item
                    raise JournalUnavailable("no-item") from failed
                old = Attempt.of(failed.item)
            decision = decide(
                old, opening.fingerprint, owner, self.clock(), self._repeatable, starts=opening.starts
            )
            if not isinstance(decision, Takeover):
                return decision
            try:
                return Claimed(self._take_over(old, opening, owner, deadline), decision.doubt)
            except ConditionFailed as failed:
                now = Attempt.of(failed.item) if failed.item else None
                if now and now.owner == owner and now.state is State.PENDING:
                    return Claimed(now, decision.doubt)
            except JournalUnavailable as error:
                raise JournalUnavailable(error.reason, doubt=decision.doubt) from error
        return Pending(old, 1)

    def peek(
        self, id_: str, fingerprint: bytes, deadline: Deadline, *, starts: bool
    ) -> Replay | Pending | Mismatch | Unknown | None:
        """Return what a request receives that may not be sent now; None if nothing was started under its id.

        `fingerprint` is the request's; ``starts``: whether it has a token.
        """
        return decide_without_claim(self.get(id_, deadline), fingerprint, self.clock(), starts=starts)

    def settle(self, claimed: Claimed, settlement: Settlement, deadline: Deadline) -> Attempt | None:
        """Record the result of a claimed attempt.

        Returns
        -------
        Attempt | None
            None if it is recorded; else the attempt as it is now, because it has another result or another holder, or because an
            operator recorded in the meantime that nothing was started, which an acceptance outweighs.

        Raises
        ------
        JournalUnavailable
            The result may not be recorded, or the item is no longer this attempt: the caller must not receive a success.
        """
        mine = claimed.attempt
        for _ in range(_RESOLVED_ROUNDS):
            try:
                self._update(expressions.settle(mine, settlement, self.clock()), deadline)
            except ConditionFailed as failed:
                if failed.item is None:
                    raise JournalUnavailable("item-deleted") from failed
                now = Attempt.of(failed.item)
                if not now.is_same(mine):  # the item was deleted, and another attempt uses its id
                    raise JournalUnavailable("item-replaced") from failed
                if not (settlement.started and _was_resolved_since(mine, now)):
                    return None if settlement.is_recorded_in(now, mine) else now
                mine = mine._replace(resolution=now.resolution)
            else:
                if mine is claimed.attempt:
                    return None
                return mine._replace(state=settlement.state, answer=settlement.answer)
        return now

    def complete_late(
        self,
        attempt: Attempt,
        answer: dict[str, Any],
        deadline: Deadline,
        *,
        started: bool = False,
        transaction: Transaction | None = None,
    ) -> bool:
        """Record an answer that arrived after its request: a pending or unknown attempt becomes completed.

        ``started``: the charger accepted the start, which outweighs the conclusion that this try failed, and an operator's word.
        Nothing else changes.

        Returns
        -------
        bool
            Whether the attempt changed.
        """
        for _ in range(_RESOLVED_ROUNDS):
            update = expressions.complete_late(
                attempt, answer, self.clock(), started=started, transaction=transaction
            )
            try:
                self._update(update, deadline)
            except ConditionFailed as failed:
                now = Attempt.of(failed.item) if failed.item else None
                if not (now and now.is_same_try(attempt) and started and _was_resolved_since(attempt, now)):
                    return False
                attempt = now
            else:
                return True
        return False

    def note_problem(self, attempt: Attempt, problem: dict[str, Any], deadline: Deadline) -> bool:
        """Record that no answer will follow for this try: the invocation that waits for one reads it, and settles.

        The attempt stays pending, and an answer that follows nevertheless still completes it.

        Returns
        -------
        bool
            Whether the attempt was still pending.
        """
        return self.apply(expressions.note_problem(attempt, problem, self.clock()), deadline)

    def apply(self, update: Update, deadline: Deadline) -> bool:
        """Execute an update; return whether its condition held. If its response was lost, it may be False nevertheless."""
        try:
            self._update(update, deadline)
        except ConditionFailed:
            return False
        return True

    def get(self, id_: str, deadline: Deadline) -> Attempt | None:
        """Return the attempt with this id, by a strongly consistent read."""
        return history.get(self._dynamodb, self._table, id_, deadline)

    def newest(self, charger_id: str, limit: int, start: Item | None, deadline: Deadline) -> Page:
        """Return at most `limit` attempts of a charger, newest first."""
        return history.newest(self._dynamodb, self._table, charger_id, limit, start, deadline)

    def newest_servers(
        self, charger_id: str, answered: Callable[[Attempt], bool], deadline: Deadline
    ) -> KnownServers:
        """Return the servers that the charger's newest attempts name; `answered` returns whether the charger itself answered
        in an attempt."""
        return history.newest_servers(
            lambda limit, start: self.newest(charger_id, limit, start, deadline), answered
        )

    def unfinished(self, shard: str, start: Item | None, limit: int, deadline: Deadline) -> EntryPage:
        """Return at most `limit` entries of a shard of the index `unfinished`, the first due first."""
        # Imported here: only the sweep and the list of unknown attempts read the index.
        from common.journal import unfinished

        return unfinished.read_page(self._dynamodb, self._table, shard, limit, start, deadline)

    def read_many(self, ids: Sequence[str], deadline: Deadline) -> list[Attempt]:
        """Return the attempts with these ids, at most 100, in this order; without those that do not exist."""
        return history.read_many(self._dynamodb, self._table, ids, deadline)

    def check_access(self, operations: Collection[str], deadline: Deadline) -> None:
        """Check that each of the operations (``GetItem``, ``UpdateItem`` ...) is allowed; nothing changes.

        Raises
        ------
        JournalUnavailable
            The first operation that fails; its reason is ``AccessDeniedException`` if a right is missing.
        """
        access_check.check_access(self._dynamodb, self._table, operations, deadline)

    def _open(self, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        key = secrets.token_urlsafe(12)
        update = expressions.open_attempt(opening, owner, key, self.clock(), self.retention)
        return Attempt.of(self._update(update, deadline)["Attributes"])

    def _take_over(self, old: Attempt, opening: Opening, owner: str, deadline: Deadline) -> Attempt:
        update = expressions.take_over(old, opening, owner, self.clock())
        return Attempt.of(self._update(update, deadline)["Attributes"])

    def _update(self, update: Update, deadline: Deadline) -> dict[str, Any]:
        return self._dynamodb.call("UpdateItem", update.body(self._table), deadline)


def _was_resolved_since(before: Attempt, now: Attempt) -> bool:
    """Return whether an operator recorded between two reads that nothing was started: an acceptance is written differently then."""
    return now.is_resolved and not before.is_resolved

"""What a server's records say of an attempt, recorded in the journal.

`look` is for records that name charger, token and time: it applies the five conditions of `common.journal.evidence`.
`look_exact` is for a server that links its records to the attempt's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from common.journal import evidence, looks
from common.journal.attempt import State, timestamp, transaction_map
from common.journal.unfinished import next_look

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from common.journal.attempt import Attempt, Item
    from common.journal.evidence import Window
    from common.journal.journal import Journal
    from common.journal.update import Update
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline

_PAGE = 100  # attempts
_MOST_ATTEMPTS = 5000  # of one charger; with more, no transaction is certain


_Kind = Literal["found", "young", "uncertain", "nothing"]


class Look(NamedTuple):
    """What a look found, and the attempt as it is now.

    ``found``: the attempt is completed, with what the server's records show. ``young``: a transaction matches, and is certain at
    ``retry_at`` (seconds since the epoch) at the earliest. ``uncertain``: rows match, and none is certainly the attempt's.
    ``nothing``: no row matches, which proves nothing.
    """

    kind: _Kind
    attempt: Attempt
    retry_at: float | None = None


def look(
    journal: Journal,
    attempt: Attempt,
    rows: Sequence[Transaction],
    now: float,
    *,
    window: Window,
    digest_of: Callable[[str, str], bytes],
    deadline: Deadline,
) -> Look:
    """Record what the rows of a server's records say of an attempt that is unknown, resolved or accepted.

    `now` is the time at which the rows had arrived.

    Raises
    ------
    JournalUnavailable
    """
    matches = evidence.matching(attempt, rows, window, digest_of)
    attempt = _refresh(journal, attempt, matches, now, deadline)
    new = [row for row in matches if not _is_recorded(attempt, row)]
    if not new:
        return _record(journal, attempt, now, {}, deadline, kind="found" if matches else "nothing")
    if len(matches) > evidence.most_transactions(attempt):
        return _record(journal, attempt, now, {}, deadline, kind="uncertain")
    seen = {row: evidence.first_sighting(attempt, row) or now for row in new}
    sightings = {evidence.sighting(row): timestamp(first) for row, first in seen.items()}
    if not all(evidence.is_old_enough(attempt, row, now) for row in new):
        retry_at = max(seen.values()) + evidence.SETTLING
        return _record(journal, attempt, now, sightings, deadline, kind="young", retry_at=retry_at)
    others = _attempts_of(journal, attempt.chargerId, deadline)
    if others is None or evidence.has_rival(attempt, others, max(seen.values()), window):
        return _record(journal, attempt, now, sightings, deadline, kind="uncertain")
    url = attempt.url or attempt.server or ""
    if not all(
        journal.apply(looks.take(url, row.id, attempt, now, journal.retention), deadline) for row in new
    ):
        return _record(journal, attempt, now, sightings, deadline, kind="uncertain")
    attempt = _add(journal, attempt, new, None, now, deadline)
    return _record(journal, attempt, now, sightings, deadline, kind="uncertain")


def look_exact(
    journal: Journal,
    attempt: Attempt,
    transactions: Sequence[Transaction],
    answer: Mapping[str, Any] | None,
    now: float,
    *,
    deadline: Deadline,
) -> Look:
    """Record what a server has under the attempt's own id: its transactions, and the charger's answer to the start, if any.

    A recorded refusal completes an unknown attempt, unless an operator resolved it: an earlier try may have started a charge.

    Raises
    ------
    JournalUnavailable
    """
    kind: _Kind = "nothing"
    accepted = answer is not None and answer["outcome"] == "accepted"
    if transactions or accepted:
        attempt = _refresh(journal, attempt, transactions, now, deadline)
        new = [row for row in transactions if not _is_recorded(attempt, row)]
        attempt = _add(journal, attempt, new, answer if accepted else None, now, deadline)
        kind = "found" if attempt.state is State.COMPLETED else "uncertain"
    elif answer is not None and attempt.known_state(now) is State.UNKNOWN and not attempt.is_resolved:
        attempt = _apply(journal, looks.complete_rejected(attempt, answer, now), attempt, deadline)
    return _record(journal, attempt, now, {}, deadline, kind=kind)


def _refresh(
    journal: Journal, attempt: Attempt, rows: Sequence[Transaction], now: float, deadline: Deadline
) -> Attempt:
    """Record the end of the attempt's own transactions, and return the attempt as it is now."""
    for row in rows:
        recorded = attempt.transactions.get(row.id)
        is_ended = recorded and _is_recorded(attempt, row) and recorded["stoppedAt"] is None
        if is_ended and row.stopped_at is not None:
            attempt = _apply(journal, looks.add_transaction(attempt, row, now), attempt, deadline)
    return attempt


def _add(
    journal: Journal,
    attempt: Attempt,
    rows: Sequence[Transaction],
    answer: Mapping[str, Any] | None,
    now: float,
    deadline: Deadline,
) -> Attempt:
    """Complete the attempt with `answer`, by default an acceptance, add the transactions, and return the attempt as it is now."""
    rest = list(rows)
    if attempt.state is not State.COMPLETED:
        first = rest.pop(0) if rest else None
        update = looks.complete_found(attempt, answer or _acceptance(attempt, first), first, now)
        attempt = _apply(journal, update, attempt, deadline)
    for row in rest:
        if attempt.state is State.COMPLETED and not _is_recorded(attempt, row):
            attempt = _apply(journal, looks.add_transaction(attempt, row, now), attempt, deadline)
    return attempt


def _acceptance(attempt: Attempt, transaction: Transaction | None) -> dict[str, Any]:
    """Return the answer that a transaction proves, as a charger gives it."""
    connector = (transaction.connector if transaction else None) or attempt.connectorId or 0
    return {
        "outcome": "accepted",
        "status": "Accepted",
        "connectorId": connector,
        "errorCode": "NoError",
        "info": None,
    }


def _record(
    journal: Journal,
    attempt: Attempt,
    now: float,
    sightings: Mapping[str, str],
    deadline: Deadline,
    *,
    kind: _Kind,
    retry_at: float | None = None,
) -> Look:
    """Record the look, unless nothing is left to find, and return it with the attempt as it is now."""
    if not (_is_known(attempt) and attempt.shard is None):
        due = next_look(attempt.last_sending, now) if retry_at is None else retry_at
        update = looks.record_look(attempt, now, due, matching=sightings, nothing=kind == "nothing")
        attempt = _apply(journal, update, attempt, deadline)
    return Look("found" if _is_known(attempt) else kind, attempt, retry_at)


def _is_known(attempt: Attempt) -> bool:
    """Return whether the attempt is completed and its transaction is recorded, or it can have none."""
    return attempt.state is State.COMPLETED and bool(attempt.transactions or not attempt.may_have_started)


def _apply(journal: Journal, update: Update, attempt: Attempt, deadline: Deadline) -> Attempt:
    """Execute an update, and return the attempt as it is now, whether or not the update changed it.

    If the item was deleted, or its id used again, the attempt is returned as it was.
    """
    journal.apply(update, deadline)
    now = journal.get(attempt.id, deadline)
    return now if now is not None and now.is_same(attempt) else attempt


def _is_recorded(attempt: Attempt, row: Transaction) -> bool:
    recorded = attempt.transactions.get(row.id)
    return recorded is not None and recorded["startedAt"] == transaction_map(row)["startedAt"]


def _attempts_of(journal: Journal, charger_id: str, deadline: Deadline) -> list[Attempt] | None:
    """Return all attempts of a charger: one that was created long ago may have been sent again. None if there are too many."""
    attempts: list[Attempt] = []
    start: Item | None = None
    while len(attempts) < _MOST_ATTEMPTS:
        page = journal.newest(charger_id, _PAGE, start, deadline)
        attempts += page.attempts
        start = page.next
        if start is None:
            return attempts
    return None

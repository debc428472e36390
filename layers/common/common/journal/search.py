"""One search of an OCPP server's records for the charge of an attempt, and what is recorded of its result.

The journal does not import the charger link: the caller passes the request as a function.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from common.journal.contradictions import record_refusal
from common.journal.digest import token_digest
from common.journal.looking import look, look_exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from common.journal.attempt import Attempt
    from common.journal.evidence import Window
    from common.journal.journal import Journal
    from common.journal.looking import Look
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline


class RecordedAnswer(Protocol):
    """The charger's answer to the start, as the server recorded it."""

    def record(self) -> dict[str, Any]: ...


class Records(Protocol):
    """What a search of the records returned: `charger_link.Found`."""

    @property
    def transactions(self) -> Sequence[Transaction]: ...
    @property
    def exact(self) -> bool: ...
    @property
    def answer(self) -> RecordedAnswer | None: ...
    @property
    def supported(self) -> bool: ...


def search(
    journal: Journal,
    attempt: Attempt,
    find: Callable[[float, float], Records | None],
    *,
    window: Window,
    secret: bytes,
    deadline: Deadline,
) -> Look | None:
    """Search the records once, and record what they show; None if the server keeps none.

    `find` searches for transactions that began between two times, in seconds since the epoch. What it raises is raised here.
    `secret` is the journal's.

    Raises
    ------
    JournalUnavailable
    """
    found = find(attempt.first_sending - window.tolerance, attempt.last_sending + window.longest_start)
    if found is None or not found.supported:
        return None
    now = journal.clock()
    if not found.exact:
        digest_of = partial(token_digest, secret)
        return look(
            journal, attempt, found.transactions, now, window=window, digest_of=digest_of, deadline=deadline
        )
    answer = found.answer.record() if found.answer else None
    looked = look_exact(journal, attempt, found.transactions, answer, now, deadline=deadline)
    if answer and record_refusal(journal, looked.attempt, answer, deadline):
        return looked._replace(attempt=journal.get(attempt.id, deadline) or looked.attempt)
    return looked

"""Look for the charge of an attempt in the records of the OCPP server that received its start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from common.journal import token_digest
from common.journal.looking import look, look_exact

if TYPE_CHECKING:
    from charger_connect.service import Service
    from charger_link import Command
    from common.journal import Attempt
    from common.journal.looking import Look
    from common.transport import Deadline


def look_at_records(attempt: Attempt, command: Command, service: Service, deadline: Deadline) -> Look | None:
    """Record in the attempt what the server's records show; None if this kind or release of server keeps none.

    Raises
    ------
    LinkError
        The records could not be read. This says nothing about the start.
    JournalUnavailable
    """
    window = service.window
    since = attempt.first_sending - window.tolerance
    until = attempt.last_sending + window.longest_start
    found = service.link.find(command, since, until, deadline)
    if found is None or not found.supported:
        return None
    now = time.time()
    if found.exact:
        answer = found.answer.record() if found.answer else None
        return look_exact(service.journal, attempt, found.transactions, answer, now, deadline=deadline)
    return look(
        service.journal,
        attempt,
        found.transactions,
        now,
        window=window,
        digest_of=lambda charger, token: token_digest(service.secret, charger, token),
        deadline=deadline,
    )

"""The callback of a server that answers later: the URL that it receives, and the wait for its answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from charger_link import CALLS_BACK, Answer, LinkError, OutcomeUnknown
from common.edge.paths import CALLBACKS
from common.journal import JournalUnavailable, callbacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charger_connect.service import Service
    from charger_link import Published, Server
    from common.edge.call import Call
    from common.journal import Attempt, Journal
    from common.transport import Deadline

_FIRST_PAUSE = 0.1  # seconds between two reads of the attempt, doubled each time
_LONGEST_PAUSE = 1.0


def callback_url(attempt: Attempt, server: Server, call: Call, service: Service) -> str | None:
    """Return the URL for this try's callback; None if the server sends none, or if the service's own address is unknown."""
    if server.entry.dialect not in CALLS_BACK:
        return None
    return callback_at(callbacks.create_path(service.secret, attempt, time.time()), call, service)


def callback_at(path: str, call: Call, service: Service) -> str | None:
    """Return the URL of a signed path; None if the service's own address is unknown."""
    base = service.callback_base_url or call.base_url
    return None if base is None else f"{base}{CALLBACKS}/{path}"


def read_until(deadline: Deadline, attempt: Attempt, journal: Journal) -> Iterator[Attempt]:
    """Read the attempt again and again until the deadline, after growing pauses, while it is the same try."""
    pause = _FIRST_PAUSE
    while (left := deadline.remaining()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            now = journal.get(attempt.id, deadline)
        except JournalUnavailable:
            continue  # the callback may be stored nevertheless
        if now is not None and now.is_same_try(attempt):  # else deleted, or another attempt uses the id
            yield now


def wait_for_callback(
    attempt: Attempt, published: Published, deadline: Deadline, service: Service
) -> Answer | LinkError:
    """Return the answer that a callback stores in the attempt before the deadline.

    An answer that is stored later is found when the attempt is settled.
    """
    for now in read_until(deadline, attempt, service.journal):
        if now.answer is not None:
            return Answer.of(now.answer)
        if now.problem is not None:
            return OutcomeUnknown("call-error", now.problem["detail"])
    return published.failure or OutcomeUnknown(
        "no-callback",
        "The OCPP server accepted the start, but did not send the charger's answer in time.",
    )

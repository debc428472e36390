"""The callback of a server that answers later: the URL that it receives, and the wait for its answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from charger_link import CALLS_BACK, Answer, LinkError, OutcomeUnknown
from common.edge.paths import CALLBACKS
from common.journal import JournalUnavailable, callbacks

if TYPE_CHECKING:
    from charger_connect.service import Service
    from charger_link import Published, Server
    from common.edge.call import Call
    from common.journal import Attempt
    from common.transport import Deadline

_FIRST_PAUSE = 0.1  # seconds between two reads of the attempt, doubled each time
_LONGEST_PAUSE = 1.0


def callback_url(attempt: Attempt, server: Server, call: Call, service: Service) -> str | None:
    """Return the URL for this try's callback; None if the server sends none, or if the service's own address is unknown."""
    base = service.callback_base_url or call.base_url
    if base is None or server.entry.dialect not in CALLS_BACK:
        return None
    return f"{base}{CALLBACKS}/{callbacks.create_path(service.secret, attempt, time.time())}"


def wait_for_callback(
    attempt: Attempt, published: Published, deadline: Deadline, service: Service
) -> Answer | LinkError:
    """Return the answer that a callback stores in the attempt before the deadline.

    An answer that is stored later is found when the attempt is settled.
    """
    pause = _FIRST_PAUSE
    while (left := deadline.remaining()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            now = service.journal.get(attempt.id, deadline)
        except JournalUnavailable:
            continue  # the callback may be stored nevertheless
        if now is None or not now.is_same_try(attempt):
            continue  # deleted, or another attempt uses the id
        if now.answer is not None:
            return Answer.of(now.answer)
        if now.problem is not None:
            return OutcomeUnknown("call-error", now.problem["detail"])
    return published.failure or OutcomeUnknown(
        "no-callback",
        "The OCPP server accepted the start, but did not send the charger's answer in time.",
    )

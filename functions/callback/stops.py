"""Record the charger's answer that an OCPP server sends after a stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from callback.record import about_attempt
from charger_link import OutcomeUnknown
from common.journal.stops import answer_stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link.records import Stop
    from common.journal import Attempt, Journal
    from common.transport import Deadline

_log = Logger(utc=True)


def record_stop(
    attempt: Attempt, read_callback: Callable[[Any], Stop], body: Any, journal: Journal, deadline: Deadline
) -> None:
    """Record the answer to the stop that the attempt holds, which the callback's path names; the first answer stays."""
    about = about_attempt(attempt)
    try:
        stop = read_callback(body)
    except OutcomeUnknown as error:
        _log.warning("callback of a stop without an answer", extra={**about, "kind": error.kind})
        return
    is_answered = attempt.stop is not None and "status" in attempt.stop
    changed = not is_answered and journal.apply(
        answer_stop(attempt, stop.status, stop.info, time.time()), deadline
    )
    _log.info(
        "stop called back" if changed else "stop called back again", extra={**about, "status": stop.status}
    )

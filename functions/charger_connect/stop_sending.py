"""Send one stop, wait for its answer, and record both in the attempt."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from charger_connect.callback_wait import callback_at, read_until
from charger_connect.stop_replies import NO_DIALECT, changed, not_available
from charger_link import LinkError, Outcome, OutcomeUnknown, Published, ocpp
from charger_link.records import Stop
from common.journal import JournalUnavailable, State, callbacks
from common.journal.looking import look_exact
from common.journal.looks import complete_found
from common.journal.stops import answer_stop, request_stop, withdraw_stop

if TYPE_CHECKING:
    from charger_connect.stop import Errand
    from common.journal import Attempt
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline

_ROUNDS = 3  # a repeat of the start may change the attempt while the stop's answer is recorded
_UNANSWERED = "The stop was sent, or may have been, and the charger's answer is not known."
_NOT_RECORDED = "The stop was answered, and the answer could not be recorded."


def send_stop(attempt: Attempt, transaction: Transaction | None, errand: Errand) -> tuple[str, str | None]:
    """Stop a transaction of the attempt, or all under its id, and return the status and info of the answer.

    Raises
    ------
    ProblemError
        Nothing was sent: another request changed the attempt, or this release of the server cannot stop.
    LinkError
    JournalUnavailable
        The stop could not be recorded, so it was not sent.
    """
    journal, deadline = errand.service.journal, errand.deadline
    request = request_stop(attempt, errand.call.caller, time.time())
    journal.apply(request, deadline)
    # A retried write may have been applied although its condition failed.
    held = journal.get(attempt.id, deadline)
    if held is None or not held.is_same_try(attempt) or held.stop != request.sets["stop"]:
        raise changed(attempt)
    try:
        stop = _call(held, transaction, errand)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(error.kind, _UNANSWERED, opened_circuit=error.opened_circuit) from error
    except LinkError:
        _withdraw(held, attempt, errand)
        raise
    if stop is None:
        _withdraw(held, attempt, errand)
        raise not_available(attempt, NO_DIALECT)
    try:
        _record(held, stop, errand)
    except JournalUnavailable as error:
        raise OutcomeUnknown("not-recorded", _NOT_RECORDED) from error
    return stop.status, stop.info


def _withdraw(held: Attempt, before: Attempt, errand: Errand) -> None:
    """Take back the record of a stop that was not sent; if that fails, the record shows a stop without an answer."""
    with suppress(JournalUnavailable):
        errand.service.journal.apply(withdraw_stop(held, before.stop), errand.call.deadline)


def _call(held: Attempt, transaction: Transaction | None, errand: Errand) -> Stop | None:
    """Send the stop, and return its answer; None if this release of the server has no such request."""
    service, command = errand.service, errand.command
    if errand.dialect.read_stop_callback is not None:
        path = callbacks.create_stop_path(service.secret, held, time.time())
        command = command._replace(callback_url=callback_at(path, errand.call, service))
    deadline = errand.deadline.within(service.link_timeout)
    sent = service.link.stop(command, transaction, deadline)
    return _wait_for_callback(held, sent, deadline, errand) if isinstance(sent, Published) else sent


def _wait_for_callback(held: Attempt, published: Published, deadline: Deadline, errand: Errand) -> Stop:
    """Return the answer that a callback stores in the attempt before the deadline."""
    assert held.stop is not None
    for now in read_until(deadline, held, errand.service.journal):
        if now.stop is None:
            continue
        is_own = now.stop["requestedAt"] == held.stop["requestedAt"]
        status = now.stop.get("status")
        # The charger may accept a later stop of the same charge instead.
        if status is not None and (is_own or status == "Accepted"):
            return Stop(status, now.stop["info"])
    raise published.failure or OutcomeUnknown("no-callback", _UNANSWERED)


def _record(held: Attempt, stop: Stop, errand: Errand) -> None:
    """Record the answer in the attempt, and what a server that stops by id has under it."""
    journal, deadline = errand.service.journal, errand.call.deadline
    now = time.time()
    attempt: Attempt | None = held
    for _ in range(_ROUNDS):
        if errand.dialect.stops_by_id and attempt is not None:
            _complete(attempt, stop, errand, now)
        attempt = journal.get(held.id, deadline)
        if attempt is None or attempt.stop != held.stop:
            return  # the item was deleted, a callback recorded the answer, or a later stop replaced this one
        recorded = journal.apply(answer_stop(attempt, stop.status, stop.info, now), deadline)
        if recorded and not _is_open(attempt, errand):
            return


def _complete(attempt: Attempt, stop: Stop, errand: Errand, now: float) -> None:
    """Complete an attempt whose stop the server confirmed: accepted with its transactions, rejected, or cancelled."""
    journal, deadline = errand.service.journal, errand.call.deadline
    if not _may_complete(attempt, now):
        return
    is_refused = stop.answer is not None and stop.answer.outcome is Outcome.REJECTED
    if stop.transactions or (stop.answer is not None and not (is_refused and attempt.is_resolved)):
        record = stop.answer.record() if stop.answer else None
        look_exact(journal, attempt, stop.transactions, record, now, deadline=deadline)
    elif stop.cancelled and attempt.state is not State.COMPLETED:
        answer = ocpp.cancelled(attempt.connectorId)
        journal.apply(complete_found(attempt, answer.record(), None, now), deadline)


def _may_complete(attempt: Attempt, now: float) -> bool:
    """Return whether the stop's answer may complete the attempt, or add to it: a repeat of the start records its own outcome."""
    return attempt.known_state(now) in (State.UNKNOWN, State.COMPLETED) or (
        attempt.state is State.FAILED and attempt.is_resolved
    )


def _is_open(attempt: Attempt, errand: Errand) -> bool:
    """Return whether the attempt still has to be completed: a repeat of the start ended as unknown in between."""
    return errand.dialect.stops_by_id and attempt.known_state(time.time()) is State.UNKNOWN

"""DELETE of a start: find the charge that its id started, stop it, and reply. Nothing is ever started here.

Only a transaction that is certainly the attempt's is stopped. It is stored before the stop is sent, and its row is read again.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from charger_connect import observe_stop
from charger_connect.records import search_records
from charger_connect.repeat import note_found
from charger_connect.stop_replies import (
    CHANGED,
    NO_DIALECT,
    NO_SERVER,
    NOT_FOUND,
    NOT_KNOWN,
    UNCERTAIN,
    already_stopped,
    failure,
    in_progress,
    not_available,
    not_yet_started,
    nothing_started,
    other_caller,
    status_reply,
    table_unavailable,
)
from charger_connect.stop_sending import send_stop
from charger_link import AddressNotAllowed, AddressUnusable, Command, LinkError, Outcome
from charger_link.dialects import registry
from common.edge.attempt_id import attempt_unknown, read_id
from common.edge.replies import Reply
from common.journal import JournalUnavailable, State, token_digest
from common.journal.attempt import transaction_map
from common.journal.looks import add_transaction
from common.transport.retry_after import retry_after
from common.wire import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charger_connect.service import Service
    from charger_link import Server
    from charger_link.dialects.dialect import Dialect
    from common.edge.call import Call
    from common.journal import Attempt
    from common.journal.looking import Look
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline

_RECORD_RESERVE = 2.5  # seconds of the deadline that are kept for recording the answer
_READ_TIMEOUT = 5.0  # seconds; a slower table cannot be used now
_LOOK_AGAIN = 10.0  # seconds until a caller may ask again for a charge that has not begun


class Errand(NamedTuple):
    """A stop that is under way: what does not change while it is."""

    call: Call
    service: Service
    dialect: Dialect
    command: Command
    deadline: Deadline


def stop(call: Call, service: Service) -> Reply:
    """Stop the charge that an id started, and return the reply."""
    try:
        attempt, reply = _try_to_stop(call, service)
    except ProblemError as error:
        observe_stop.refused(error.problem)
        return Reply.from_error(error)
    observe_stop.stopped(attempt, reply)
    return reply


def _try_to_stop(call: Call, service: Service) -> tuple[Attempt, Reply]:
    """Return the attempt and the reply with the answer to the stop; raise the problem if there is none."""
    deadline = call.deadline.before(_RECORD_RESERVE)
    with _explaining():
        attempt = _read_attempt(call, service, deadline)
    reply = _reply_at_once(attempt, time.time())
    if reply is None:
        with _explaining(attempt):
            reply = _stop(attempt, _prepare(attempt, call, service, deadline))
    return attempt, reply


def _read_attempt(call: Call, service: Service, deadline: Deadline) -> Attempt:
    """Return the attempt that the path names, if this caller started it."""
    id_ = read_id(call)
    attempt = service.journal.get(id_, deadline.within(_READ_TIMEOUT))
    if attempt is None:
        raise attempt_unknown()
    if attempt.caller != call.caller:
        raise other_caller(id_)
    return attempt


def _reply_at_once(attempt: Attempt, now: float) -> Reply | None:
    """Return the reply for an attempt that certainly started nothing; None if it may have started a charge."""
    state = attempt.known_state(now)
    if state is State.PENDING:
        raise in_progress(attempt, retry_after(attempt.lease - now))
    if attempt.token is None:
        return nothing_started(attempt)  # a status request
    if attempt.is_resolved or state is State.UNKNOWN:
        return None
    outcome = attempt.answer["outcome"] if attempt.answer else None
    # The server still stops a charge of a cancelled start that appears late, so it is the one to ask.
    may_run = state is State.COMPLETED and outcome in (Outcome.ACCEPTED, Outcome.CANCELLED)
    return None if may_run else nothing_started(attempt)


def _prepare(attempt: Attempt, call: Call, service: Service, deadline: Deadline) -> Errand:
    """Return what the stop needs, if the server of the start can stop and may be called."""
    dialect = registry.find(attempt.dialect)
    if dialect is None or dialect.stop is None:
        raise not_available(attempt, NO_DIALECT)
    server = _find_server(attempt, service)
    command = Command(
        id=attempt.id,
        charger_id=attempt.chargerId,
        token=None,
        connector=attempt.connectorId,
        server=server,
        trace_parent=call.trace_parent,
    )
    return Errand(call, service, dialect, command, deadline)


def _find_server(attempt: Attempt, service: Service) -> Server:
    """Return the server that received the start. `enabled: false` pauses starts, and not stops."""
    try:
        return service.servers.find_same(attempt.server or "", attempt.url, attempt.dialect, attempt.tenant)
    except (AddressNotAllowed, AddressUnusable):
        raise not_available(attempt, NO_SERVER) from None


def _stop(attempt: Attempt, errand: Errand) -> Reply:
    """Find the attempt's charges, and stop those that run."""
    seen = search_records(attempt, errand.call, errand.service, errand.deadline)
    if seen is not None:
        note_found(attempt, seen.attempt)
    if errand.dialect.stops_by_id:  # the server knows the charges of the id, and starts none from then on
        if seen is None:
            raise not_available(attempt, NO_DIALECT)
        return status_reply(seen.attempt, *send_stop(seen.attempt, None, errand))
    attempt = _with_transactions(attempt, seen, errand)
    running = [row for id_ in attempt.transactions if (row := _read_again(attempt, id_, errand))]
    if not running:
        return already_stopped(attempt)
    status, info = "Accepted", None
    for transaction in running:  # several only after an operator's word that was wrong
        status, info = send_stop(attempt, transaction, errand)
        if status != "Accepted":
            break
    return status_reply(attempt, status, info)


def _with_transactions(attempt: Attempt, seen: Look | None, errand: Errand) -> Attempt:
    """Return the attempt with the transactions that certainly are its own: one or more."""
    if seen is None:
        if attempt.transactions:  # the charger named it when it accepted the start
            return attempt
        raise not_available(attempt, NOT_KNOWN)
    now, transactions = time.time(), seen.attempt.transactions
    is_running = any(times["stoppedAt"] is None for times in transactions.values())
    if seen.retry_at is not None and not is_running:
        raise not_yet_started(attempt, ceil(seen.retry_at - now))
    if transactions:
        return seen.attempt
    raise (
        not_available(attempt, UNCERTAIN)
        if seen.kind == "uncertain"
        else _nothing_found(attempt, errand, now)
    )


def _nothing_found(attempt: Attempt, errand: Errand, now: float) -> ProblemError:
    """Return the problem that no charge was found: it may still begin, until the longest time after the last sending is over."""
    left = attempt.last_sending + errand.service.start_window - now
    return (
        not_yet_started(attempt, ceil(min(left, _LOOK_AGAIN)))
        if left > 0
        else not_available(attempt, NOT_FOUND)
    )


def _read_again(attempt: Attempt, id_: str, errand: Errand) -> Transaction | None:
    """Return a transaction of the attempt as the server has it now; None if it has ended.

    A server whose database is rebuilt uses its ids again, so the row must be the one that is stored.
    """
    recorded = attempt.transactions[id_]
    if recorded["stoppedAt"] is not None:
        return None
    row = errand.service.link.read_transaction(errand.command, id_, errand.deadline)
    now = time.time()
    if row is None and recorded["startedAt"] is None:  # the charger named it before it reported its beginning
        raise _nothing_found(attempt, errand, now)
    if row is None or not _is_same(attempt, recorded["startedAt"], row, errand.service.secret):
        raise not_available(attempt, CHANGED)
    if (transaction_map(row)["startedAt"], row.stopped_at) != (recorded["startedAt"], None):
        errand.service.journal.apply(add_transaction(attempt, row, now), errand.deadline)
    return row if row.stopped_at is None else None


def _is_same(attempt: Attempt, started_at: str | None, row: Transaction, secret: bytes) -> bool:
    """Return whether a row has the charger and the token of the attempt, and the time that is stored, where each is known."""
    if row.charger_id != attempt.chargerId or started_at not in (None, transaction_map(row)["startedAt"]):
        return False
    return row.token is None or attempt.digest == token_digest(secret, row.charger_id, row.token)


@contextmanager
def _explaining(attempt: Attempt | None = None) -> Iterator[None]:
    """Turn the errors of the table and of the link into problems. None of them says that nothing was started."""
    try:
        yield
    except JournalUnavailable as error:
        observe_stop.unrecorded(attempt, error.reason)
        raise table_unavailable(attempt) from error
    except LinkError as error:
        assert attempt is not None
        observe_stop.failed(attempt, error)
        raise failure(attempt, error) from error

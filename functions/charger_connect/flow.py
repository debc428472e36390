"""The sequence of a request: choose the server, claim the attempt, call the server, settle the attempt, reply."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from charger_connect import observe
from charger_connect.callback_wait import callback_url, wait_for_callback
from charger_connect.choose_server import (
    check_circuit,
    check_server,
    choose_server,
    connector_for,
    is_first_server,
)
from charger_connect.opening import make_opening, request_fingerprint
from charger_connect.outcomes import STATUS_UNKNOWN, only_acceptance, verdict
from charger_connect.repeat import note_contradictions, reply_to_repeat
from charger_connect.replies import (
    NOT_RECORDED,
    RETRY_AFTER,
    SENT_BEFORE,
    STATUS_NOT_READ,
    problem_reply,
    reply_from_attempt,
    status_reply,
    unknown_reply,
)
from charger_link import (
    AddressNotAllowed,
    AddressUnusable,
    Answer,
    CircuitOpen,
    Command,
    LinkError,
    Outcome,
    OutcomeUnknown,
    Published,
)
from charger_link.dialects import registry
from common.journal import Claimed, JournalUnavailable, Settlement
from common.journal.attempt import parse_timestamp
from common.wire import ProblemError, make_problem

if TYPE_CHECKING:
    from charger_connect.request import ConnectRequest
    from charger_connect.service import Service
    from charger_link import Server
    from common.edge.call import Call
    from common.edge.replies import Reply
    from common.journal import Attempt
    from common.transport import Deadline

_SETTLE_RESERVE = 2.5  # seconds of the deadline that are kept for settling
_CLAIM_TIMEOUT = 5.0  # seconds; a slower table cannot be used now
_NOT_CLAIMED = (
    "The attempt could not be recorded, so this request sent nothing. The outcome of an earlier request with this id is not known "
    "now: send the same id again."
)


def connect(request: ConnectRequest, call: Call, service: Service) -> Reply:
    """Connect a token to a charger, or read the charger's status.

    Raises
    ------
    ProblemError
        400, 403 or 503: no attempt has this id, and nothing was recorded.
    """
    deadline = call.deadline.before(_SETTLE_RESERVE)
    fingerprint = request_fingerprint(request, call.caller, service.secret)
    try:
        try:
            server = choose_server(request, service, call.deadline.within(_CLAIM_TIMEOUT))
            check_server(request, server, service, deadline)
        except ProblemError as refusal:
            return _refuse(refusal, request, fingerprint, call, service, deadline)
        began = time.monotonic()
        opening = make_opening(request, server, fingerprint, call, service.secret)
        claim = service.journal.claim(opening, deadline.within(_CLAIM_TIMEOUT))
        claim_took = _milliseconds(began)
    except JournalUnavailable as error:
        observe.unclaimed(str(request.id), error.reason)
        if error.doubt:
            return unknown_reply(str(request.id), SENT_BEFORE)
        problem = make_problem("journal-unavailable", _NOT_CLAIMED)
        raise ProblemError(problem, {"Retry-After": RETRY_AFTER}) from error
    if isinstance(claim, Claimed):
        return execute(claim, request, server, call, service, claim_took)
    return reply_to_repeat(claim, request, call, service, deadline)


def _refuse(
    refusal: ProblemError,
    request: ConnectRequest,
    fingerprint: bytes,
    call: Call,
    service: Service,
    deadline: Deadline,
) -> Reply:
    """Raise the refusal, unless the journal has an attempt with the id: it may have started a charge, so return its reply."""
    known = service.journal.peek(
        str(request.id), fingerprint, deadline.within(_CLAIM_TIMEOUT), starts=request.tokenId is not None
    )
    if known:
        return reply_to_repeat(known, request, call, service, deadline)
    if isinstance(refusal.__cause__, AddressNotAllowed):
        observe.address_refused(refusal.__cause__.reason)
    raise refusal


def execute(
    claimed: Claimed, request: ConnectRequest, server: Server, call: Call, service: Service, claim_took: int
) -> Reply:
    """Call the server for the claimed attempt, settle the attempt and return its reply; `claim_took` is in milliseconds."""
    observe.claimed(claimed, call, claim_took)
    began = time.monotonic()
    result = call_server(claimed, request, server, call, service)
    if claimed.attempt.is_resolved:
        result = only_acceptance(result)
    took = {"claim": claim_took, "link": _milliseconds(began)}
    decided = verdict(result, starts=request.tokenId is not None)
    detail = ""
    if isinstance(result, LinkError):
        # The text of an unknown outcome is about a start, so a status has its own.
        detail = STATUS_NOT_READ if decided is STATUS_UNKNOWN else result.detail
    settlement = Settlement(
        decided.state,
        answer=result.record() if isinstance(result, Answer) else None,
        problem={"type": decided.problem, "detail": detail} if isinstance(result, LinkError) else None,
        milliseconds=took,
        started=isinstance(result, Answer) and result.outcome is Outcome.ACCEPTED,
        provisional=isinstance(result, Answer) and result.provisional,
        due=_first_look(claimed.attempt),
        transaction=result.transaction if isinstance(result, Answer) else None,
    )
    began = time.monotonic()
    try:
        now = service.journal.settle(claimed, settlement, call.deadline)
    except JournalUnavailable as error:
        observe.unsettled(claimed, result, {**took, "settle": _milliseconds(began)}, error.reason)
        if request.tokenId is None:  # a status starts nothing, recorded or not
            return problem_reply(STATUS_UNKNOWN.problem or "", STATUS_NOT_READ, claimed.attempt.id)
        return unknown_reply(claimed.attempt.id, NOT_RECORDED)
    if now is not None:
        note_contradictions(claimed.attempt, now, result, call, service)
    if now is not None and now.answer is not None:  # a callback, or a late invocation, stored an answer first
        result, settlement = Answer.of(now.answer), settlement._replace(state=now.state)
    observe.settled(claimed, settlement, result, {**took, "settle": _milliseconds(began)}, call)
    if now is not None:
        return reply_from_attempt(now, request)
    if isinstance(result, Answer):
        return status_reply(result.outcome, result.record(), request)
    return problem_reply(decided.problem or "", detail, claimed.attempt.id, result.retry_after)


def call_server(
    claimed: Claimed, request: ConnectRequest, server: Server, call: Call, service: Service
) -> Answer | LinkError:
    """Call the server once; a repeat whose first try may have started a charge calls the server of the first try."""
    attempt = claimed.attempt
    try:
        if claimed.doubt and attempt.server != server.name:
            server = service.servers.find_named(attempt.server or "")
            _check_circuit(server, service, call.deadline.before(_SETTLE_RESERVE))
        if claimed.doubt and not (server.entry.enabled and is_first_server(attempt, server)):
            raise AddressNotAllowed("entry")
        command = Command(
            id=attempt.id,
            charger_id=request.chargerId or "",
            token=request.tokenId,
            connector=attempt.connectorId if claimed.doubt else connector_for(request, server),
            server=server,
            trace_parent=call.trace_parent,
            callback_url=callback_url(attempt, server, call, service),
            doubt=claimed.doubt,
        )
        deadline = call.deadline.before(_SETTLE_RESERVE).within(service.link_timeout)
        result = service.link.connect(command, deadline)
        if isinstance(result, Published):
            return wait_for_callback(attempt, result, deadline, service)
        return result
    except (AddressNotAllowed, AddressUnusable):
        return OutcomeUnknown(
            "server-gone", "The OCPP server that received the first try may not be called now."
        )
    except LinkError as error:
        return error


def _check_circuit(server: Server, service: Service, deadline: Deadline) -> None:
    """Check the circuit of the first try's server, since the check before the claim was of another one.

    Raises
    ------
    OutcomeUnknown
        The server is not called now, so the outcome of the first try stays unknown.
    """
    try:
        check_circuit(server, service, deadline)
    except CircuitOpen as error:
        detail = "The OCPP server that received the first try is not called for a moment."
        raise OutcomeUnknown(error.kind, detail, opened_circuit=error.opened_circuit) from error


def _first_look(attempt: Attempt) -> float | None:
    """Return when the server's records may first show what became of a start, in seconds since the epoch; None: they never do."""
    dialect = registry.find(attempt.dialect)
    if dialect is None or dialect.find is None or attempt.sentAt is None:
        return None
    return parse_timestamp(attempt.sentAt) + dialect.wait


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

"""The reply to a request whose id is known, and what a late result contradicts. Nothing is started here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_connect import observe
from charger_connect.records import search_records
from charger_connect.replies import (
    SENT_BEFORE,
    id_reused_reply,
    in_progress_reply,
    reply_from_attempt,
    unknown_reply,
)
from charger_link import AddressNotAllowed, AddressUnusable, Answer, LinkError, Outcome
from charger_link.dialects import registry
from common.journal import JournalUnavailable, Mismatch, Pending, Replay, State, Unknown, token_digest

if TYPE_CHECKING:
    from charger_connect.request import ConnectRequest
    from charger_connect.service import Service
    from common.edge.call import Call
    from common.edge.replies import Reply
    from common.journal import Attempt
    from common.journal.looking import Look
    from common.transport import Deadline

_YOUNG = "The OCPP server's records show a charge that may be this attempt's: send the same id again in 10 seconds."
_UNCERTAIN = "The OCPP server's records show a charge that may be this attempt's, or another one's."
_NOTHING = "Until {until}, the OCPP server's records showed no charge of this attempt, which does not prove that none starts."


def reply_to_repeat(
    claim: Replay | Pending | Mismatch | Unknown,
    request: ConnectRequest,
    call: Call,
    service: Service,
    deadline: Deadline,
) -> Reply:
    """Return the reply to a request that is not sent now."""
    match claim:
        case Replay(attempt):
            return _replay(attempt, request)
        case Pending(attempt, seconds):
            observe.conflicted(attempt)
            return in_progress_reply(attempt.id, seconds)
        case Mismatch(attempt):
            observe.mismatched(attempt.id)
            return id_reused_reply(attempt)
        case Unknown(attempt):
            return _reply_to_unknown(attempt, request, call, service, deadline)


def note_contradictions(
    before: Attempt, now: Attempt, result: Answer | LinkError, call: Call, service: Service
) -> None:
    """Record and count the result of a try that an operator's word contradicts; `now` is the attempt after the result was settled."""
    if not isinstance(result, Answer) or result.provisional or now.resolution is None:
        return
    from common.journal.contradictions import CONTRADICTIONS, MESSAGES, STARTED_AFTER_ALL, record_refusal

    if result.outcome is Outcome.ACCEPTED and now.is_resolved and not before.is_resolved:
        observe.contradicted(now, STARTED_AFTER_ALL, MESSAGES[STARTED_AFTER_ALL])
    try:
        if record_refusal(service.journal, now, result.record(), call.deadline):
            observe.contradicted(now, CONTRADICTIONS, MESSAGES[CONTRADICTIONS])
    except JournalUnavailable as error:
        observe.records_not_read(now, error.reason)


def _replay(attempt: Attempt, request: ConnectRequest) -> Reply:
    observe.replayed(attempt)
    reply = reply_from_attempt(attempt, request)
    return reply._replace(headers={**reply.headers, "Idempotent-Replayed": "true"})


def _reply_to_unknown(
    attempt: Attempt, request: ConnectRequest, call: Call, service: Service, deadline: Deadline
) -> Reply:
    """Return the reply to a repeat of an unknown attempt: 200 if the server's records show its charge, else 504 with what is known."""
    look = _search(attempt, request, call, service, deadline)
    now = look.attempt if look else attempt
    if now.state is State.COMPLETED:
        return _replay(now, request)
    observe.still_unknown(attempt)
    return unknown_reply(attempt.id, f"{SENT_BEFORE} {_known(now, look)}".rstrip())


def _search(
    attempt: Attempt, request: ConnectRequest, call: Call, service: Service, deadline: Deadline
) -> Look | None:
    """Search the server's records; None if it keeps none, or if they could not be read."""
    if attempt.dialect not in registry.SEARCHABLE or request.tokenId is None:
        return None
    if attempt.digest is None:  # of an earlier version; the fingerprint shows that the token is the same
        digest = token_digest(service.secret, attempt.chargerId, request.tokenId)
        attempt = attempt._replace(digest=digest)
    try:
        look = search_records(attempt, call, service, deadline)
    except (AddressNotAllowed, AddressUnusable):
        observe.records_not_read(attempt, "server-gone")
    except LinkError as error:
        observe.records_not_read(attempt, error.kind)
    except JournalUnavailable as error:
        observe.records_not_read(attempt, error.reason)
    else:
        if look is not None:
            note_found(attempt, look.attempt)
        return look
    return None


def note_found(before: Attempt, now: Attempt) -> None:
    """Log and count what a search of the records changed."""
    from common.journal.contradictions import MESSAGES, contradictions

    if now.state is State.COMPLETED and before.state is not State.COMPLETED:
        observe.found(now)
    for metric in contradictions(before, now):
        observe.contradicted(now, metric, MESSAGES[metric])


def _known(attempt: Attempt, look: Look | None) -> str:
    if look is not None and look.kind == "young":
        return _YOUNG
    if look is not None and look.kind == "uncertain":
        return _UNCERTAIN
    until = attempt.nothingFoundUntil
    return _NOTHING.format(until=until) if until else ""

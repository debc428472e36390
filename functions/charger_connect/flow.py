"""The way through: choose the server, claim, connect, settle, tell."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from charger_connect import observe
from charger_connect.outcomes import OUTCOMES, STATUS_UNKNOWN, verdict
from charger_connect.routing import charger_answered
from charger_link import (
    CALLS_BACK,
    AddressNotAllowed,
    AddressUnusable,
    Answer,
    CircuitOpen,
    Command,
    LinkError,
    Outcome,
    OutcomeUnknown,
    Published,
    addresses,
)
from common.journal import (
    Attempt,
    Claimed,
    JournalUnavailable,
    Mismatch,
    Opening,
    Pending,
    Replay,
    Settlement,
    State,
    Unknown,
    callbacks,
    fingerprint,
    masked,
)
from common.transport.retry_after import retry_after
from common.wire import FieldError, OcppStatusResponse, Problem, ProblemError, make_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_connect.event import Call
    from charger_connect.request import ConnectRequest
    from charger_connect.service import Service
    from charger_link import Server
    from common.transport import Deadline

PATH = "/api/v1/ocpp/charger-connect"
CALLBACKS = "/api/v1/ocpp/callbacks"
_TO_SETTLE = 2.5  # seconds of the deadline that the link never gets
_TO_CLAIM = 5.0  # seconds; a table that takes longer cannot take work now
_FIRST_LOOK = 0.1  # seconds between looks for a callback, doubled each time
_LONGEST_LOOK = 1.0
_RETRY_AFTER = "1"
_PAUSED_RETRY_AFTER = "60"
_UNCLAIMED = (
    "The attempt could not be recorded, so this call sent nothing. What an earlier call with this id did is not known now: "
    "try again with the same id."
)
_UNRECORDED = "The OCPP server was called, and the outcome could not be recorded."
_SENT_BEFORE = "An earlier call with this id was sent, and its outcome is not known."
_LOOK = "Look at `instance` and check the charger: the charge may have started, or may still start, and a request under another id can start a second one."
_ONLY_ASKED = "The charger's status could not be learnt in time. Nothing was to be started: ask again."
_ZERO = str(UUID(int=0))


class Reply(NamedTuple):
    """What the caller hears, before it is written in a format."""

    message: OcppStatusResponse | Problem
    headers: Mapping[str, str] = MappingProxyType({})


def connect(request: ConnectRequest, call: Call, service: Service) -> Reply:
    """Connect a token to a charger, or ask how the charger is.

    Raises
    ------
    ProblemError
        400, 403 and 503, where nothing is known under the id and nothing was recorded.
    """
    to_link = call.deadline.before(_TO_SETTLE)
    meaning = _meaning(request, call, service)
    refusal: ProblemError | None
    try:
        try:
            server = _server(request, service, call)
            refusal = _refusal(request, server, service, to_link)
        except ProblemError as refused:
            refusal = refused
        began = time.monotonic()
        if refusal is None:
            opening = _opening(request, server, meaning, call)
            claim = service.journal.claim(opening, to_link.within(_TO_CLAIM))
        # A request that may not be sent now: an earlier one with this id may have started a charge.
        elif known := service.journal.peek(
            str(request.id), meaning, to_link.within(_TO_CLAIM), starts=request.tokenId is not None
        ):
            claim = known
        else:
            if isinstance(refusal.__cause__, AddressNotAllowed):
                observe.address_refused(refusal.__cause__.reason)
            raise refusal
    except JournalUnavailable as error:
        observe.unclaimed(str(request.id), error.reason)
        if error.doubt:
            return _unknown(str(request.id), _SENT_BEFORE)
        raise ProblemError(
            make_problem("journal-unavailable", _UNCLAIMED), {"Retry-After": _RETRY_AFTER}
        ) from error
    match claim:
        case Claimed():
            return _carry_out(claim, request, server, call, service, _milliseconds(began))
        case Replay(attempt):
            observe.replayed(attempt)
            reply = _tell(attempt, request)
            return reply._replace(headers={**reply.headers, "Idempotent-Replayed": "true"})
        case Pending(attempt, seconds):
            observe.conflicted(attempt)
            return _in_progress(attempt.id, seconds)
        case Mismatch(attempt):
            observe.mismatched(attempt.id)
            return Reply(make_problem("id-reused", _reused(attempt), instance=_instance(attempt.id)))
        case Unknown(attempt):
            observe.still_unknown(attempt)
            return _unknown(attempt.id, _SENT_BEFORE)


def _carry_out(
    claimed: Claimed, request: ConnectRequest, server: Server, call: Call, service: Service, claim_took: int
) -> Reply:
    observe.claimed(claimed, call, claim_took)
    began = time.monotonic()
    result = _ask(claimed, request, server, call, service)
    took = {"claim": claim_took, "link": _milliseconds(began)}
    decided = verdict(result, starts=request.tokenId is not None)
    if decided is STATUS_UNKNOWN and isinstance(result, LinkError):
        result.detail = _ONLY_ASKED  # the link speaks of a start that may have happened
    settlement = Settlement(
        decided.state,
        answer=result.record() if isinstance(result, Answer) else None,
        problem={"type": decided.problem, "detail": result.detail} if isinstance(result, LinkError) else None,
        milliseconds=took,
        started=isinstance(result, Answer) and result.outcome is Outcome.ACCEPTED,
    )
    began = time.monotonic()
    try:
        now = service.journal.settle(claimed, settlement, call.deadline)
    except JournalUnavailable as error:
        observe.unsettled(claimed, result, {**took, "settle": _milliseconds(began)}, error.reason)
        if request.tokenId is None:  # it started nothing, recorded or not
            return _problem(STATUS_UNKNOWN.problem or "", _ONLY_ASKED, claimed.attempt.id)
        return _unknown(claimed.attempt.id, _UNRECORDED)
    if now is not None and now.answer is not None:  # a callback, or a late caller, was faster
        result, settlement = Answer.of(now.answer), settlement._replace(state=now.state)
    observe.settled(claimed, settlement, result, {**took, "settle": _milliseconds(began)}, call)
    if now is not None:
        return _tell(now, request)
    if isinstance(result, Answer):
        return _heard(result.outcome, result.record(), request)
    return _problem(decided.problem or "", result.detail, claimed.attempt.id, result.retry_after)


def _ask(
    claimed: Claimed, request: ConnectRequest, server: Server, call: Call, service: Service
) -> Answer | LinkError:
    """One call to the link; of a repeat, to the server that heard the first one."""
    attempt = claimed.attempt
    try:
        if claimed.doubt and attempt.server != server.name:
            server = service.servers.find_named(attempt.server or "")
        if claimed.doubt and not (server.entry.enabled and _heard_it(attempt, server)):
            raise AddressNotAllowed("entry")
        command = Command(
            id=attempt.id,
            charger_id=request.chargerId or "",
            token=request.tokenId,
            connector=attempt.connectorId if claimed.doubt else _connector(request, server),
            server=server,
            trace_parent=call.trace_parent,
            callback_url=_callback_url(attempt, server, call, service),
            doubt=claimed.doubt,
        )
        deadline = call.deadline.before(_TO_SETTLE).within(service.link_timeout)
        result = service.link.connect(command, deadline)
        return _called_back(attempt, result, deadline, service) if isinstance(result, Published) else result
    except (AddressNotAllowed, AddressUnusable):
        return OutcomeUnknown("server-gone", "The OCPP server that was asked first may not be called now.")
    except LinkError as error:
        return error


def _called_back(
    attempt: Attempt, published: Published, deadline: Deadline, service: Service
) -> Answer | LinkError:
    """The answer that a callback puts into the attempt, looked for until the deadline; settling is the last look."""
    pause = _FIRST_LOOK
    while (left := deadline.remaining()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_LOOK)
        try:
            now = service.journal.get(attempt.id, deadline)
        except JournalUnavailable:
            continue  # the callback may have been recorded all the same
        if now is not None and now.is_same_try(attempt) and now.answer is not None:
            return Answer.of(now.answer)
        if now is not None and now.tries == attempt.tries and now.problem is not None:
            return OutcomeUnknown("call-error", now.problem["detail"])
    return published.failure or OutcomeUnknown(
        "no-callback", "The OCPP server took the start, and did not say in time what the charger answered."
    )


def _callback_url(attempt: Attempt, server: Server, call: Call, service: Service) -> str | None:
    """Where this try's server answers later; None where it does not, or the service does not know its own address."""
    base = service.callback_base_url or call.base_url
    if base is None or server.entry.dialect not in CALLS_BACK:
        return None
    return f"{base}{CALLBACKS}/{callbacks.path(service.secret, attempt, time.time())}"


def _server(request: ConnectRequest, service: Service, call: Call) -> Server:
    """Return the server that the request names; else the one through which this charger last answered; else the deployment's
    default; else one of an attempt whose outcome is not known."""
    try:
        if request.serverIpAddress is not None and request.serverRestApiPort is not None:
            return service.servers.find(request.serverIpAddress, request.serverRestApiPort)
        known = service.journal.newest_servers(
            request.chargerId or "", charger_answered, call.deadline.within(_TO_CLAIM)
        )
        for name in (known.answered, service.default_server, known.unknown):
            if name is None:
                continue
            try:
                return service.servers.find_named(name)
            except (AddressNotAllowed, AddressUnusable):
                continue  # it was allowed once
    except AddressNotAllowed as error:
        detail = "The OCPP server's address and port are outside what LinkServers allows: ask the operator to add them."
        raise ProblemError(make_problem("address-not-allowed", detail)) from error
    missing = "is missing, and no OCPP server is known for this charger: name its address and port"
    errors = [FieldError("serverIpAddress", missing)]
    raise ProblemError(
        make_problem("invalid-request", "Name the OCPP server that holds the charger.", errors=errors)
    )


def _refusal(
    request: ConnectRequest, server: Server, service: Service, deadline: Deadline
) -> ProblemError | None:
    """Why the server may not be called now, with certainly nothing sent by this call. What an earlier one with the id did the
    journal knows: nobody hears "not started" of a charge that may run."""
    if request.tokenId is not None and (service.paused or not server.entry.enabled):
        detail = "The operator has paused starts, so nothing was sent. Try again later with the same id."
        return ProblemError(make_problem("starts-paused", detail), {"Retry-After": _PAUSED_RETRY_AFTER})
    try:
        if service.circuits.check(server.name):
            service.link.check_server(server, deadline)
    except CircuitOpen as error:
        observe.circuit_refused()
        if error.opened_circuit:
            observe.circuit_opened(server.name, error.kind)
        return ProblemError(
            make_problem("circuit-open", error.detail), {"Retry-After": str(error.retry_after)}
        )
    return None


def _meaning(request: ConnectRequest, call: Call, service: Service) -> bytes:
    """Return the request's fingerprint. It needs no server that may be called: a repeat has the same one when its server is no
    longer in LinkServers."""
    named = None
    if request.serverIpAddress is not None and request.serverRestApiPort is not None:
        judged = addresses.parse(request.serverIpAddress)
        named = addresses.server_name(str(judged), request.serverRestApiPort)
    meaning = (request.chargerId, request.tokenId, named, request.connectorId, call.caller)
    return fingerprint(service.secret, *meaning)


def _opening(request: ConnectRequest, server: Server, meaning: bytes, call: Call) -> Opening:
    return Opening(
        id=str(request.id),
        charger_id=request.chargerId or "",
        server=server.name,
        dialect=server.entry.dialect,
        connector=_connector(request, server),
        token=masked(request.tokenId),
        fingerprint=meaning,
        lease=call.lease,
        caller=call.caller,
        trace_id=call.trace_id,
        url=server.url,
    )


def _heard_it(attempt: Attempt, server: Server) -> bool:
    """Whether it is, for all that its entry says, the server of the attempt's first try: only that one knows its id."""
    return attempt.dialect == server.entry.dialect and attempt.url in (None, server.url)


def _connector(request: ConnectRequest, server: Server) -> int | None:
    """What the request names, else for a start what the server's entry does."""
    return request.connectorId or (server.entry.start_connector if request.tokenId is not None else None)


def _tell(attempt: Attempt, request: ConnectRequest) -> Reply:
    """What the attempt's item says now."""
    if attempt.answer is not None:
        return _heard(attempt.answer["outcome"], attempt.answer, request)
    if attempt.state is State.PENDING:
        return _in_progress(attempt.id, retry_after(attempt.lease - time.time()))
    if attempt.state is State.FAILED and attempt.problem:
        return _problem(attempt.problem["type"], attempt.problem["detail"], attempt.id)
    return _unknown(attempt.id, "The outcome of this attempt is not known.")


def _heard(outcome: str, body: Mapping[str, Any], request: ConnectRequest) -> Reply:
    response = OcppStatusResponse(
        id=request.id,
        chargerId=request.chargerId or "",
        connectorId=body["connectorId"],
        errorCode=body["errorCode"],
        status=body["status"],
        info=body["info"],
    )
    return Reply(response, {"Connect-Outcome": outcome})


def _problem(type_name: str, detail: str, id_: str, seconds: int | None = None) -> Reply:
    if type_name == OUTCOMES[OutcomeUnknown].problem:
        return _unknown(id_, detail)
    retries = type_name in ("server-busy", "circuit-open")
    headers = {"Retry-After": str(seconds or _RETRY_AFTER)} if retries else {}
    return Reply(make_problem(type_name, detail, instance=_instance(id_)), headers)


def _unknown(id_: str, detail: str) -> Reply:
    return Reply(make_problem("outcome-unknown", f"{detail} {_LOOK}", instance=_instance(id_)))


def _in_progress(id_: str, seconds: int) -> Reply:
    detail = "Another call with this id is being carried out. Ask again with the same id after Retry-After seconds."
    return Reply(
        make_problem("attempt-in-progress", detail, instance=_instance(id_)), {"Retry-After": str(seconds)}
    )


def _reused(attempt: Attempt) -> str:
    """Return the detail of 422. While a charge may run because of the attempt, it points to the attempt and never suggests to
    send this request under another id: the caller's own name may have changed, so that this may be a repeat."""
    answer = attempt.answer
    accepted = answer is not None and answer["outcome"] == Outcome.ACCEPTED
    zeros = " It is all zeros, which is what a client sends that sets no id." if attempt.id == _ZERO else ""
    if accepted or attempt.state in (State.PENDING, State.UNKNOWN):
        return (
            "Look at `instance`: this id belongs to an attempt with other content or of another caller, and the outcome of that "
            f"attempt is accepted, or not known.{zeros} A different request needs an id of its own."
        )
    return (
        "This id belongs to an attempt with other content or of another caller, which started no charge."
        f"{zeros} A different request needs a new GUID as id."
    )


def _instance(id_: str) -> str:
    return f"{PATH}/{id_}"


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

"""The log lines and metrics of an attempt, one function for each event.

Each attempt has two log lines, ``claimed`` and ``settled``; a ``claimed`` without its ``settled`` means that the invocation ended
in between. Charger and server are members of the metrics record, never dimensions.
No line contains a token: an attempt has it masked only, and of an exception only types and places are logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from charger_connect import metrics
from charger_link import Answer, ChargerUnknown, LinkError, StatusNotAvailable
from common.edge.guard import causes
from common.wire import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.edge.call import Call
    from common.journal import Attempt, Claimed, Settlement

_log = Logger(utc=True, json_deserializer=str)  # our messages are never JSON, so do not try to parse them
_ZERO_ID = "00000000-0000-0000-0000-000000000000"
_INVALID = (400, 405, 413, 415)
_PAUSED = "/problems/starts-paused"
_UNKNOWNS_LEFT = "UnknownsLeft"


def claimed(claim: Claimed, call: Call, milliseconds: int) -> None:
    """Log that this invocation may call the server; `milliseconds` is the duration of the claim."""
    attempt, record = claim.attempt, metrics.current()
    extra = {**_about(attempt), "tries": attempt.tries, "repeat": claim.doubt, "caller": call.caller}
    # Lambda's own log lines have the request id, too, such as "Task timed out".
    request_id = record.request_id if record else None
    _log.info("claimed", extra={**extra, "claimMilliseconds": milliseconds, "requestId": request_id})
    if attempt.id == _ZERO_ID:
        metrics.count("ZeroIds")


def settled(
    claim: Claimed,
    settlement: Settlement,
    result: Answer | LinkError,
    milliseconds: Mapping[str, int],
    call: Call,
) -> None:
    """Log and count the recorded outcome; `milliseconds` has the durations of claim, link and settle."""
    attempt = claim.attempt
    outcome = str(result.outcome) if isinstance(result, Answer) else str(settlement.state)
    extra: dict[str, Any] = {
        **_about(attempt),
        "outcome": outcome,
        "state": str(settlement.state),
        "tries": attempt.tries,
        "milliseconds": dict(milliseconds),
        "left": round(call.deadline.remaining() * 1000),
    }
    if isinstance(result, LinkError):
        extra["kind"] = result.kind
        if result.__cause__ is not None and result.kind == "unexpected":
            extra["causes"] = causes(result.__cause__)
    _log.info("settled", extra=extra)
    metrics.count("Attempts", outcome=outcome)
    if outcome == "unknown":
        metrics.count(_UNKNOWNS_LEFT)
    metrics.time("SettleLatency", milliseconds["settle"])
    _count_call(attempt, result, milliseconds)


def unsettled(
    claim: Claimed, result: Answer | LinkError, milliseconds: Mapping[str, int], reason: str
) -> None:
    """Log and count that the server was called, but the outcome could not be recorded."""
    attempt = claim.attempt
    outcome = str(result.outcome) if isinstance(result, Answer) else result.kind
    extra = {
        **_about(attempt),
        "step": "settle",
        "reason": reason,
        "outcome": outcome,
        "tries": attempt.tries,
    }
    _log.error("journal failed", extra={**extra, "milliseconds": dict(milliseconds)})
    metrics.count("JournalFailures")
    metrics.count(_UNKNOWNS_LEFT)
    _count_call(attempt, result, milliseconds)


def unclaimed(id_: str, reason: str) -> None:
    """Log and count that the attempt could not be recorded, so nothing was sent."""
    _log.error("journal failed", extra={"step": "claim", "id": id_, "reason": reason})
    metrics.count("JournalFailures")


def replayed(attempt: Attempt) -> None:
    """Log and count a repeat that received the stored reply."""
    _log.info("replayed", extra=_about(attempt))
    metrics.count("Replays")


def conflicted(attempt: Attempt) -> None:
    """Log and count a repeat while another invocation works on the attempt."""
    _log.info("still in progress", extra=_about(attempt))
    metrics.count("Conflicts")


def mismatched(id_: str) -> None:
    """Log and count a request whose id belongs to another request."""
    _log.warning("id reused", extra={"id": id_})
    metrics.count("IdsReused")
    if id_ == _ZERO_ID:
        metrics.count("ZeroIds")


def still_unknown(attempt: Attempt) -> None:
    """Log and count a repeat that may not be sent again while the outcome is unknown."""
    _log.warning("asked again, still unknown", extra=_about(attempt))
    metrics.count("UnknownsAsked")


def contradicted(attempt: Attempt, metric: str, message: str) -> None:
    """Log and count that a result contradicts what was recorded of the attempt: a person has to look at it."""
    _log.error(message, extra={**_about(attempt), "tries": attempt.tries})
    metrics.count(metric)


def found(attempt: Attempt) -> None:
    """Log and count that the server's records showed the charge of an unknown attempt."""
    _log.info("found", extra=_about(attempt))
    metrics.count("Found")


def records_not_read(attempt: Attempt, reason: str) -> None:
    """Log that a search of the server's records failed, or that its result could not be recorded."""
    _log.warning("records not read", extra={**_about(attempt), "reason": reason})


def refused(problem: Problem) -> None:
    """Log and count a request that was refused before anything was recorded."""
    fields = [error.field for error in problem.errors]
    _log.info("refused", extra={"problem": problem.type, "fields": fields})
    if problem.status in _INVALID:
        metrics.count("InvalidRequests")
    elif problem.type == _PAUSED:
        metrics.count("StartsPaused")


def address_refused(reason: str) -> None:
    """Log and count a server that LinkServers does not allow."""
    _log.warning("address refused", extra={"reason": reason})
    metrics.count("AddressesRefused")


def link_failed(attempt: Attempt, error: LinkError) -> None:
    """Count a failed request to an OCPP server, or one that its open circuit prevented."""
    if _is_uncalled(error):
        circuit_refused()
        return
    metrics.count("LinkFailures", dialect=attempt.dialect or "", kind=error.kind)
    if not isinstance(error, ChargerUnknown | StatusNotAvailable):  # both come from a server that works
        metrics.count("LinkFailures")
    if error.opened_circuit:
        circuit_opened(attempt.server, error.kind)


def circuit_refused() -> None:
    """Count a request that was not sent because of an open circuit."""
    metrics.count("CircuitRefusals")


def circuit_opened(server: str | None, kind: str) -> None:
    """Log and count a failure that opened the server's circuit."""
    _log.error("circuit opened", extra={"server": server, "kind": kind})
    metrics.count("CircuitsOpened")


def answered(message: object) -> None:
    """Count our 5xx responses: Lambda reports them as successes, and the canary alarm needs them."""
    record = metrics.current()
    if isinstance(message, Problem) and message.status >= 500 and message.type != _PAUSED and record:
        record.fail()


def _count_call(attempt: Attempt, result: Answer | LinkError, milliseconds: Mapping[str, int]) -> None:
    """Add the metrics of a call to an OCPP server."""
    metrics.time("ClaimLatency", milliseconds["claim"])
    if not (isinstance(result, LinkError) and _is_uncalled(result)):
        metrics.time("LinkLatency", milliseconds["link"])
        record = metrics.current()
        if record:
            record.about = {"id": attempt.id, "chargerId": attempt.chargerId, "server": attempt.server}
    if isinstance(result, LinkError):
        link_failed(attempt, result)


def _is_uncalled(error: LinkError) -> bool:
    """Return whether the server was not called, because its circuit is open."""
    return error.kind == "circuit-open"


def _about(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "token": attempt.token,
        "traceId": attempt.traceId,
    }

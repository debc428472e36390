"""What an operator sees: two log lines an attempt, and its metrics in one record an invocation.

``claimed`` and ``settled`` tell the story of an attempt; a ``claimed`` without its ``settled`` is an invocation that
died. Metrics go out when the invocation ends; charger and server stand in the record, never in a dimension.
No line holds a token: an attempt knows it masked only, and of an exception nothing but types and places is told.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from charger_link import Answer, ChargerUnknown, LinkError, StatusNotAvailable
from common.edge import causes
from common.edge.metrics import Record
from common.wire import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charger_connect.event import Call
    from common.edge import Context
    from common.journal import Attempt, Claimed, Settlement
    from common.wire import OcppStatusResponse

_log = Logger(utc=True, json_deserializer=str)  # our messages are words: it need not try to read them as JSON
_cold = True
_ZERO = "00000000-0000-0000-0000-000000000000"
_UNREADABLE = (400, 405, 413, 415)
_PAUSED = "/problems/starts-paused"
_LEFT_UNKNOWN = "UnknownsLeft"


# Per invocation: the local gateway has several at once, each on its thread.
_record: ContextVar[Record | None] = ContextVar("record", default=None)


@contextmanager
def invocation(context: Context) -> Iterator[None]:
    """Collect the metrics of one invocation and write them at its end."""
    global _cold
    record = Record(context)
    token = _record.set(record)
    if _cold:
        _cold = False
        _count("ColdStarts")
    try:
        yield
    finally:
        _record.reset(token)
        record.flush()


def claimed(claim: Claimed, call: Call, milliseconds: int) -> None:
    attempt, record = claim.attempt, _record.get()
    extra = {**_about(attempt), "tries": attempt.tries, "repeat": claim.doubt, "caller": call.caller}
    # What Lambda's own lines have, "Task timed out" among them.
    request_id = record.request_id if record else None
    _log.info("claimed", extra={**extra, "claimMilliseconds": milliseconds, "requestId": request_id})
    if attempt.id == _ZERO:
        _count("ZeroIds")


def settled(
    claim: Claimed,
    settlement: Settlement,
    result: Answer | LinkError,
    milliseconds: Mapping[str, int],
    call: Call,
) -> None:
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
    _count("Attempts", outcome=outcome)
    if outcome == "unknown":
        _count(_LEFT_UNKNOWN)
    _time("SettleLatency", milliseconds["settle"])
    _linked(attempt, result, milliseconds)


def unsettled(
    claim: Claimed, result: Answer | LinkError, milliseconds: Mapping[str, int], reason: str
) -> None:
    """The link was called, and what became of it could not be recorded."""
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
    _count("JournalFailures")
    _count(_LEFT_UNKNOWN)
    _linked(attempt, result, milliseconds)


def unclaimed(id_: str, reason: str) -> None:
    """The attempt could not be recorded; nothing was sent."""
    _log.error("journal failed", extra={"step": "claim", "id": id_, "reason": reason})
    _count("JournalFailures")


def replayed(attempt: Attempt) -> None:
    _log.info("replayed", extra=_about(attempt))
    _count("Replays")


def conflicted(attempt: Attempt) -> None:
    _log.info("still in progress", extra=_about(attempt))
    _count("Conflicts")


def mismatched(id_: str) -> None:
    _log.warning("id reused", extra={"id": id_})
    _count("IdsReused")
    if id_ == _ZERO:
        _count("ZeroIds")


def still_unknown(attempt: Attempt) -> None:
    _log.warning("asked again, still unknown", extra=_about(attempt))
    _count("UnknownsAsked")


def refused(problem: Problem) -> None:
    """A request answered before anything was recorded."""
    fields = [error.field for error in problem.errors]
    _log.info("refused", extra={"problem": problem.type, "fields": fields})
    if problem.status in _UNREADABLE:
        _count("InvalidRequests")
    elif problem.type == _PAUSED:
        _count("StartsPaused")


def address_refused(reason: str) -> None:
    _log.warning("address refused", extra={"reason": reason})
    _count("AddressesRefused")


def circuit_refused() -> None:
    _count("CircuitRefusals")


def circuit_opened(server: str | None, kind: str) -> None:
    _log.error("circuit opened", extra={"server": server, "kind": kind})
    _count("CircuitsOpened")


def answered(message: OcppStatusResponse | Problem) -> None:
    """What the caller hears. A failure that we tell is none to Lambda: a deployment is watched by this count."""
    record = _record.get()
    if isinstance(message, Problem) and message.status >= 500 and message.type != _PAUSED and record:
        record.fail()


def _linked(attempt: Attempt, result: Answer | LinkError, milliseconds: Mapping[str, int]) -> None:
    _time("ClaimLatency", milliseconds["claim"])
    if isinstance(result, LinkError) and result.kind == "circuit-open":  # the server was not called
        circuit_refused()
        return
    _time("LinkLatency", milliseconds["link"])
    record = _record.get()
    if record:
        record.about = {"id": attempt.id, "chargerId": attempt.chargerId, "server": attempt.server}
    if not isinstance(result, LinkError):
        return
    _count("LinkFailures", dialect=attempt.dialect or "", kind=result.kind)
    if not isinstance(result, ChargerUnknown | StatusNotAvailable):  # there the link works
        _count("LinkFailures")
    if result.opened_circuit:
        circuit_opened(attempt.server, result.kind)


def _about(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "token": attempt.token,
        "traceId": attempt.traceId,
    }


def _count(name: str, **dimensions: str) -> None:
    record = _record.get()
    if record:
        record.count(name, **dimensions)


def _time(name: str, milliseconds: int) -> None:
    record = _record.get()
    if record:
        record.time(name, milliseconds)

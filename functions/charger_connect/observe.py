"""What an operator sees: two log lines an attempt, and its metrics in one record an invocation.

``claimed`` and ``settled`` tell the story of an attempt; a ``claimed`` without its ``settled`` is an invocation that
died. Metrics go out as EMF when the invocation ends; charger and server stand in the logs, never in a dimension.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from charger_link import Answer, LinkError
from journal import Attempt, Claimed, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charger_connect.event import Call, Context
    from wire import Problem

_log = Logger(utc=True)
_metrics: ContextVar[EphemeralMetrics | None] = ContextVar("metrics", default=None)
_cold = True
_version = "$LATEST"
_ZERO = "00000000-0000-0000-0000-000000000000"


@contextmanager
def invocation(context: Context) -> Iterator[None]:
    """Collect the metrics of one invocation and write them at its end."""
    global _cold, _version
    metrics = EphemeralMetrics()
    token = _metrics.set(metrics)
    if _cold:
        _cold, _version = False, getattr(context, "function_version", _version)
        metrics.add_metric("ColdStarts", MetricUnit.Count, 1)
    try:
        yield
    finally:
        _metrics.reset(token)
        if metrics.metric_set:
            metrics.flush_metrics()


def claimed(claim: Claimed, call: Call) -> None:
    attempt = claim.attempt
    _log.info(
        "claimed",
        extra={**_about(attempt), "tries": attempt.tries, "repeat": claim.doubt, "caller": call.caller},
    )
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
        _link_failed(result, attempt.dialect or "")
    _log.info("settled", extra=extra)
    metrics = _metrics.get()
    if metrics is None:
        return
    metrics.add_dimensions(service=_log.service, outcome=outcome)
    metrics.add_metric("Attempts", MetricUnit.Count, 1)
    metrics.add_metric("LinkLatency", MetricUnit.Milliseconds, milliseconds["link"])
    metrics.add_metric(
        "JournalLatency", MetricUnit.Milliseconds, milliseconds["claim"] + milliseconds["settle"]
    )


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
    if problem.status in (400, 405, 413, 415):
        _count("InvalidRequests")


def address_refused(reason: str) -> None:
    _log.warning("address refused", extra={"reason": reason})
    _count("AddressesRefused")


def circuit_refused() -> None:
    _count("CircuitRefusals")


def journal_failed(step: str, id_: str, reason: str) -> None:
    _log.error("journal failed", extra={"step": step, "id": id_, "reason": reason})
    _count("JournalFailures")


def crashed() -> None:
    """An exception that nobody expected; its traceback goes to the log, its local values do not."""
    _log.exception("crashed")
    _count("Crashes")


def _link_failed(error: LinkError, dialect: str) -> None:
    failures = EphemeralMetrics()
    failures.add_dimensions(service=_log.service, dialect=dialect, kind=error.kind)
    failures.add_metric("LinkFailures", MetricUnit.Count, 1)
    failures.flush_metrics()
    if error.opened_circuit:
        _log.error("circuit opened", extra={"kind": error.kind})
        _count("CircuitsOpened")


def _about(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "token": attempt.token,
        "traceId": attempt.traceId,
    }


def _count(name: str) -> None:
    metrics = _metrics.get()
    if metrics is not None:
        metrics.add_metric(name, MetricUnit.Count, 1)

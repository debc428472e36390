"""One sweep: read what is unfinished, and report it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit

from common.edge.guard import run_guarded
from common.edge.journal_access import journal_failures
from common.edge.metrics import Record
from common.journal import JournalUnavailable
from common.transport import Deadline
from resolve import unfinished

if TYPE_CHECKING:
    from common.edge.lambda_types import Context, Event, Response
    from resolve.service import Service
    from resolve.unfinished import Gauges

_log = Logger(utc=True, json_deserializer=str)
_OPERATIONS = ("UpdateItem", "GetItem", "Query", "BatchGetItem")
_CHECK_TIMEOUT = 10.0  # seconds
_RESERVE = 2.0  # seconds for the log and the runtime's end

_LISTED = 20  # ids in the log line of a sweep

# A sweep that found nothing counts 0, so that a sweep that did not run differs from it.
_COUNTERS = ("Found", "StartedAfterAll", "SecondTransactions", "Contradictions")


def respond(_event: Event, context: Context, service: Service) -> Response:
    """Return the gauges of one sweep; a sweep that crashes raises, and Lambda counts an error."""
    return run_guarded(lambda: _sweep(context, service), context)


def failures(service: Service) -> list[str]:
    """Return what this version cannot reach; OCPP servers are not called, since a deployment must not depend on them."""
    found = [f"secret {name}" for name in service.link.unreadable(service.servers.secrets)]
    found += journal_failures(service.journal, _OPERATIONS)
    try:
        shard, deadline = unfinished.SHARDS[0], Deadline.after(_CHECK_TIMEOUT)
        unfinished.read(service.dynamodb, service.table, shard, deadline)
    except JournalUnavailable as error:
        found.append(f"index {unfinished.INDEX}: {error.reason}")
    return found


def _sweep(context: Context, service: Service) -> Response:
    record = Record(context)
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _RESERVE)
    try:
        entries = [
            entry
            for shard in unfinished.SHARDS
            for entry in unfinished.read(service.dynamodb, service.table, shard, deadline)
        ]
    except JournalUnavailable as error:  # the gauges are missing then, which their alarms count as breaching
        _log.error("journal failed", extra={"step": "sweep", "reason": error.reason})
        record.count("JournalFailures")
        record.flush()
        return {"failed": error.reason}
    gauges = unfinished.measure(entries, time.time())
    _report(gauges, unfinished.oldest_unknown(entries, _LISTED), record)
    return gauges._asdict()


def _report(gauges: Gauges, ids: list[str], record: Record) -> None:
    """Log and count the result of a sweep. The saved query `unknown now` reads the newest line."""
    about = {
        "unknown": gauges.unknown,
        "oldestLookedFor": round(gauges.oldest_looked_for),
        "expiredPending": gauges.expired_pending,
    }
    _log.info("swept", extra={**about, "ids": " ".join(ids)})
    record.measure("UnknownAttempts", gauges.unknown)
    record.measure("OldestLookedFor", round(gauges.oldest_looked_for), MetricUnit.Seconds)
    record.measure("ExpiredPending", gauges.expired_pending)
    for name in _COUNTERS:
        record.measure(name, 0)
    record.flush()

"""The log lines and metrics of a sweep. No line contains a token."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit

from common.edge.guard import causes
from common.journal import State
from common.journal.contradictions import MESSAGES, contradictions

if TYPE_CHECKING:
    from common.edge.metrics import Record
    from common.journal import Attempt
    from common.journal.looking import Look
    from resolve.gauges import Gauges
    from resolve.steps import Step

_log = Logger(utc=True, json_deserializer=str)
_FOUND = "Found"
_JOURNAL_FAILURES = "JournalFailures"


class Counters:
    """The counts of one sweep. Safe to share between threads."""

    def __init__(self) -> None:
        # A sweep that found nothing counts 0, so that a sweep that did not run differs from it.
        self._counts = Counter(dict.fromkeys((_FOUND, *MESSAGES), 0))
        self._steps: Counter[str] = Counter()
        self._lock = Lock()

    def stepped(self, step: Step) -> None:
        """Count what was due."""
        with self._lock:
            self._steps[step.action.name.lower()] += 1

    def expired(self, attempt: Attempt) -> None:
        """Log that an attempt's invocation has died: its `claimed` has no `settled`."""
        _log.warning("expired", extra={**_about(attempt), "traceId": attempt.traceId})

    def looked(self, before: Attempt, look: Look) -> None:
        """Log and count what a search of the server's records changed."""
        after = look.attempt
        transaction = (after.transaction or {}).get("id")
        _log.info("looked", extra={**_about(before), "found": look.kind, "transaction": transaction})
        found = contradictions(before, after)
        for metric in found:
            _log.error(MESSAGES[metric], extra=_about(after))
        if before.state is not State.COMPLETED and after.state is State.COMPLETED:
            found.append(_FOUND)
        self._count(*found)

    def not_read(self, attempt: Attempt, kind: str) -> None:
        """Log that the server's records could not be read."""
        _log.warning("records not read", extra={**_about(attempt), "kind": kind})

    def not_called(self, attempt: Attempt, reason: str) -> None:
        """Log that LinkServers does not allow the server of the start today."""
        _log.warning("server not called", extra={**_about(attempt), "reason": reason})

    def journal_failed(self, id_: str, reason: str) -> None:
        """Log and count that the table could not be read or written."""
        _log.error("journal failed", extra={"step": "sweep", "id": id_, "reason": reason})
        self._count(_JOURNAL_FAILURES)

    def crashed(self, id_: str, error: Exception) -> None:
        """Log and count an attempt that cannot be handled; the others are."""
        _log.error("attempt not handled", extra={"id": id_, "causes": causes(error)})
        self._count("Crashes")

    def flush(self, record: Record) -> None:
        """Log what was done, and write the counts."""
        _log.info("acted", extra={"due": sum(self._steps.values()), "steps": dict(self._steps)})
        for name, count in self._counts.items():
            record.measure(name, count)
        record.flush()

    def _count(self, *metrics: str) -> None:
        with self._lock:
            self._counts.update(metrics)


def log_gauges(gauges: Gauges, ids: list[str], record: Record) -> None:
    """Log and write the gauges. The saved query `unknown now` reads the newest line."""
    about = {
        "unknown": gauges.unknown,
        "oldestLookedFor": round(gauges.oldest_looked_for),
        "expiredPending": gauges.expired_pending,
    }
    _log.info("swept", extra={**about, "ids": " ".join(ids)})
    record.measure("UnknownAttempts", gauges.unknown)
    record.measure("OldestLookedFor", round(gauges.oldest_looked_for), MetricUnit.Seconds)
    record.measure("ExpiredPending", gauges.expired_pending)
    record.flush()


def sweep_failed(reason: str, record: Record) -> None:
    """Log and count that the index could not be read."""
    _log.error("journal failed", extra={"step": "sweep", "reason": reason})
    record.count(_JOURNAL_FAILURES)
    record.flush()


def _about(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "state": str(attempt.state),
        "tries": attempt.tries,
    }

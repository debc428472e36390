"""One sweep: read what is unfinished, report it, and act on what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.edge.guard import run_guarded
from common.edge.journal_access import journal_failures
from common.edge.metrics import Record
from common.journal import JournalUnavailable
from common.journal.unfinished import INDEX, SHARDS, read
from common.transport import Deadline
from resolve.gauges import measure, oldest_unknown
from resolve.observe import Counters, log_gauges, sweep_failed
from resolve.sweep import sweep

if TYPE_CHECKING:
    from common.edge.lambda_types import Context, Event, Response
    from common.journal.unfinished import Entry
    from resolve.service import Service

_OPERATIONS = ("UpdateItem", "GetItem", "Query", "BatchGetItem")
_CHECK_TIMEOUT = 10.0  # seconds
_RESERVE = 2.0  # seconds for the log and the runtime's end
_MOST_ENTRIES = 5000  # of a shard: what is due comes first; the gauges count no more
_LISTED = 20  # ids in the log line of a sweep


def respond(_event: Event, context: Context, service: Service) -> Response:
    """Return the gauges of one sweep; a sweep that crashes raises, and Lambda counts an error."""
    return run_guarded(lambda: _sweep(context, service), context)


def failures(service: Service) -> list[str]:
    """Return what this version cannot reach; OCPP servers are not called, since a deployment must not depend on them."""
    found = [f"secret {name}" for name in service.link.unreadable(service.servers.secrets)]
    found += journal_failures(service.journal, _OPERATIONS)
    try:
        service.journal.unfinished(SHARDS[0], None, 1, Deadline.after(_CHECK_TIMEOUT))
    except JournalUnavailable as error:
        found.append(f"index {INDEX}: {error.reason}")
    return found


def _sweep(context: Context, service: Service) -> Response:
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _RESERVE)
    record = Record(context)
    try:
        entries = _read(service, deadline)
    except JournalUnavailable as error:  # the gauges are missing then, which their alarms count as breaching
        sweep_failed(error.reason, record)
        return {"failed": error.reason}
    gauges = measure(entries, service.journal.clock())
    # Before anything is done: an invocation that ends early has reported what is unfinished.
    log_gauges(gauges, oldest_unknown(entries, _LISTED), record)
    counters = Counters()
    try:
        sweep(entries, service, counters, deadline)
    finally:
        counters.flush(Record(context))
    return gauges._asdict()


def _read(service: Service, deadline: Deadline) -> list[Entry]:
    return [entry for shard in SHARDS for entry in read(service.journal, shard, _MOST_ENTRIES, deadline)]

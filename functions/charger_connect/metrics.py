"""The metrics of the current invocation, written in one record when it ends."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from common.edge.metrics import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.edge.lambda_types import Context

_is_cold = True

# The local gateway runs several invocations at once, each in its own thread.
_record: ContextVar[Record | None] = ContextVar("record", default=None)


@contextmanager
def invocation(context: Context) -> Iterator[None]:
    """Collect the metrics of one invocation, and write them when it ends."""
    global _is_cold
    record = Record(context)
    token = _record.set(record)
    if _is_cold:
        _is_cold = False
        record.count("ColdStarts")
    try:
        yield
    finally:
        _record.reset(token)
        record.flush()


def current() -> Record | None:
    """Return the record of the current invocation; None outside of one."""
    return _record.get()


def count(name: str, **dimensions: str) -> None:
    """Add one to a metric of the current invocation."""
    if record := _record.get():
        record.count(name, **dimensions)


def time(name: str, milliseconds: int) -> None:
    """Add a duration to a metric of the current invocation."""
    if record := _record.get():
        record.time(name, milliseconds)

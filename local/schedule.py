"""Invoke a function at regular times, as EventBridge Scheduler does."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.gateway import Invoker

_log = logging.getLogger(__name__)


@contextmanager
def running(invoke: Invoker, function: str, event: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """Invoke `function` with `event` each time `seconds` have passed, until the context ends.

    An invocation that raises is logged and not repeated. The next one waits until it has ended.
    """
    ended = Event()

    def run() -> None:
        while not ended.wait(seconds):
            try:
                invoke(function, dict(event))
            except Exception:  # noqa: BLE001 (a function can raise anything)
                _log.exception("a scheduled function failed")

    # A daemon thread: the stack must be able to end while an invocation waits for an OCPP server.
    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()

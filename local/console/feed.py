"""Server-sent events: the current state for each new listener, then every change."""

from __future__ import annotations

import json
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_SECONDS = 10.0
"""A comment is sent after this many seconds without an event. A failed write then shows that the listener has disconnected."""
_RETRY_MILLISECONDS = 1000


class Feed:
    """Events from any thread, sent to every listener. Each listener has its own thread.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: dict[str, bytes] = {}
        self._listeners: set[SimpleQueue[bytes | None]] = set()

    def set_state(self, event: str, data: Any) -> None:
        """Send JSON `data`, and keep it for new listeners until the next call with this `event`."""
        with self._lock:
            self._states[event] = _encode(event, data)
            self._send(self._states[event])

    def send(self, event: str, data: Any) -> None:
        """Send JSON `data` to the present listeners only."""
        with self._lock:
            self._send(_encode(event, data))

    def stream(self) -> Iterator[bytes]:
        """Yield the events of one listener, until `close`."""
        queue: SimpleQueue[bytes | None] = SimpleQueue()
        with self._lock:
            start = b"retry: %d\n\n" % _RETRY_MILLISECONDS + b"".join(self._states.values())
            self._listeners.add(queue)
        try:
            yield start
            while (piece := _next(queue)) is not None:
                yield piece
        finally:
            with self._lock:
                self._listeners.discard(queue)

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            self._send(None)

    def _send(self, piece: bytes | None) -> None:
        for listener in self._listeners:
            listener.put(piece)


def _next(queue: SimpleQueue[bytes | None]) -> bytes | None:
    try:
        return queue.get(timeout=HEARTBEAT_SECONDS)
    except Empty:
        return b":\n\n"


def _encode(event: str, data: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()

"""Server-sent events: what is true now for whoever comes, then what changes."""

from __future__ import annotations

import json
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BEAT_SECONDS = 10.0
"""A comment is sent after so long a silence, which finds out who has left."""
_RETRY_MILLISECONDS = 1000


class Feed:
    """Any thread may tell it something; each listener has a thread of its own.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._true: dict[str, bytes] = {}
        self._listeners: set[SimpleQueue[bytes | None]] = set()

    def tell(self, event: str, data: Any) -> None:
        """Something is true from now on, in the place of what this event said before; JSON."""
        with self._guard:
            self._true[event] = _written(event, data)
            self._send(self._true[event])

    def mention(self, event: str, data: Any) -> None:
        """Something happened; who comes later does not hear of it."""
        with self._guard:
            self._send(_written(event, data))

    def listen(self) -> Iterator[bytes]:
        """The stream of one listener, until `close`."""
        news: SimpleQueue[bytes | None] = SimpleQueue()
        with self._guard:
            start = b"retry: %d\n\n" % _RETRY_MILLISECONDS + b"".join(self._true.values())
            self._listeners.add(news)
        try:
            yield start
            while (piece := _next(news)) is not None:
                yield piece
        finally:
            with self._guard:
                self._listeners.discard(news)

    def close(self) -> None:
        """Ends every stream."""
        with self._guard:
            self._send(None)

    def _send(self, piece: bytes | None) -> None:
        for listener in self._listeners:
            listener.put(piece)


def _next(news: SimpleQueue[bytes | None]) -> bytes | None:
    try:
        return news.get(timeout=BEAT_SECONDS)
    except Empty:
        return b":\n\n"


def _written(event: str, data: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()

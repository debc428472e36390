"""A TCP relay in front of a server, which counts the requests and bytes that pass."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Traffic:
    """HTTP requests, and the bytes that the client sent and received, headers included."""

    requests: int = 0
    sent: int = 0
    received: int = 0


class Relay:
    """Listen on a free port, and forward everything to `port` and back. Both ends are on 127.0.0.1.

    Bytes that match `uncounted` are not counted.
    """

    def __init__(self, port: int, uncounted: re.Pattern[bytes] | None = None) -> None:
        self._upstream = port
        self._uncounted = uncounted
        self._guard = threading.Lock()
        self._sent: list[bytearray] = []
        self._received: list[bytearray] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def traffic(self) -> Traffic:
        """Return the traffic since the relay started."""
        with self._guard:
            return Traffic(
                sum(_requests(bytes(stream)) for stream in self._sent),
                sum(map(self._counted, self._sent)),
                sum(map(self._counted, self._received)),
            )

    def _counted(self, stream: bytearray) -> int:
        return len(self._uncounted.sub(b"", stream) if self._uncounted else stream)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                with self._guard:
                    self._sockets += (client, server)
                self._forward(client, server, self._sent)
                self._forward(server, client, self._received)

    def _forward(self, source: socket.socket, target: socket.socket, streams: list[bytearray]) -> None:
        stream = bytearray()
        with self._guard:
            streams.append(stream)

        def pump() -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    with self._guard:
                        stream.extend(data)
                    target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

        threading.Thread(target=pump, daemon=True).start()

    def close(self) -> None:
        """Close the listener and every connection."""
        with self._guard:
            for each in (self._listener, *self._sockets):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # interrupts the thread that waits for this socket
                each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _requests(stream: bytes) -> int:
    """Count the HTTP requests in what a client sent on one connection."""
    count = 0
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        stream = rest[int(found[1]) if found else 0 :]
        count += 1
    return count

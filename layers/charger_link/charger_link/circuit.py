"""A circuit breaker per OCPP server: a server that hangs or is down must not use up the concurrency of all the others.

The circuits are kept in the process, so a healthy server costs no call. Two kinds of failure count, each in a row:

- Failed connections open the circuit. While it is open, one request every 10 s may try: `enter` decides which.
- Requests that the server took and did not answer, for different chargers, only make the server suspect: its chargers may be
  silent. `check` then requires a health check (`Link.check_server`), whose response decides.

Any response of the server closes its circuit.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from charger_link.errors import CircuitOpen
from common.transport.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

_FAILURE_THRESHOLD = 3  # failed connections, or chargers without an answer, in a row
_PAUSE = 10.0  # seconds until one request may try again, and between two health checks
_SERVERS = 256


class _Circuit:
    __slots__ = ("check_at", "retry_at", "silent", "unconnected")

    def __init__(self) -> None:
        self.unconnected = 0
        self.silent: set[str] = set()
        self.retry_at: float | None = None
        self.check_at: float | None = None

    @property
    def suspect(self) -> bool:
        """Whether only a health check can distinguish a dead server from one whose chargers are silent."""
        return bool(self.silent) and (
            self.retry_at is not None or self.unconnected + len(self.silent) >= _FAILURE_THRESHOLD
        )


class Circuits:
    """The circuits of at most 256 servers, the least recently used dropped first. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()

    def check(self, server: str) -> bool:
        """Return whether the server must be sent a health check first, at most once every 10 s.

        It uses up no trial: a request that passes may still need no call.

        Raises
        ------
        CircuitOpen
            No request may try yet; ``retry_after`` says when the next one may.
        """
        if server not in self._circuits:
            return False
        with self._lock:
            circuit = self._circuits.get(server)
            if circuit is None:
                return False
            now = self._clock()
            self._refuse(circuit, now)
            if not circuit.suspect or (circuit.check_at is not None and now < circuit.check_at):
                return False
            circuit.check_at = now + _PAUSE
            if circuit.retry_at is not None:
                circuit.retry_at = now + _PAUSE  # for all but the one that checks
            return True

    def enter(self, server: str) -> None:
        """Allow a request that is about to connect: every one while the circuit is closed, one every 10 s while it is open.

        Raises
        ------
        CircuitOpen
            As `check` does.
        """
        if server not in self._circuits:
            return
        with self._lock:
            circuit = self._circuits.get(server)
            if circuit is None or circuit.retry_at is None:
                return
            now = self._clock()
            self._refuse(circuit, now)
            if circuit.suspect:  # only a health check closes it: no start is sent to a server that may hang
                raise _circuit_open(0.0)
            circuit.retry_at = now + _PAUSE

    def answered(self, server: str) -> None:
        """Record that the server sent something: its circuit closes."""
        if server not in self._circuits:
            return
        with self._lock:
            circuit = self._circuits.get(server)
            if circuit is None:
                return
            if circuit.check_at is None or circuit.check_at <= self._clock():
                del self._circuits[server]
                return
            circuit.unconnected, circuit.retry_at = 0, None
            circuit.silent.clear()

    def failed(self, server: str, charger_id: str | None) -> bool:
        """Record a failed connection (`charger_id` None), or that no byte of a response for a charger arrived.

        Return whether this opened the circuit, which silence by itself never does.
        """
        with self._lock:
            circuit = self._circuit(server)
            if charger_id is None:
                circuit.unconnected = min(circuit.unconnected + 1, _FAILURE_THRESHOLD)
            elif len(circuit.silent) < _FAILURE_THRESHOLD:
                circuit.silent.add(charger_id)
            if circuit.retry_at is None and circuit.unconnected < _FAILURE_THRESHOLD:
                return False
            return self._open(circuit)

    def unhealthy(self, server: str) -> CircuitOpen:
        """Record that a health check got no response: the circuit opens. Return the error for the request."""
        with self._lock:
            opened = self._open(self._circuit(server))
        return _circuit_open(_PAUSE, opened=opened)

    def _circuit(self, server: str) -> _Circuit:
        circuit = self._circuits.setdefault(server, _Circuit())
        self._circuits.move_to_end(server)
        if len(self._circuits) > _SERVERS:
            self._circuits.popitem(last=False)
        return circuit

    def _open(self, circuit: _Circuit) -> bool:
        opened = circuit.retry_at is None
        circuit.retry_at = self._clock() + _PAUSE
        return opened

    def _refuse(self, circuit: _Circuit, now: float) -> None:
        """Raise CircuitOpen if the circuit is open and no request may try yet."""
        left = 0.0 if circuit.retry_at is None else circuit.retry_at - now
        if left > 0:
            raise _circuit_open(left)


def _circuit_open(left: float, *, opened: bool = False) -> CircuitOpen:
    detail = (
        "The OCPP server failed several times in a row and is not called for a moment, so nothing was sent. "
        "Try again with the same id."
    )
    return CircuitOpen("circuit-open", detail, retry_after=retry_after(left), opened_circuit=opened)

"""A circuit per OCPP server: one that hangs or is down must not eat the concurrency of all the others.

It lives in the process, so the healthy path costs no call; it is asked before an attempt is claimed. Only failures
of the server itself open it: a connection that is not made, or silence towards different chargers. One charger's
silence never does, and any answer closes it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from charger_link.errors import CircuitOpen
from transport.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

_WITNESSES = 3  # failed connections, or silent chargers, in a row
_PAUSE = 10.0  # seconds until one request may try again
_SERVERS = 256


class _Circuit:
    __slots__ = ("retry_at", "witnesses")

    def __init__(self) -> None:
        self.witnesses: set[str] = set()
        self.retry_at: float | None = None


class Circuits:
    """The circuits of at most 256 servers, the longest unused forgotten first. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()

    def check(self, server: str) -> None:
        """Let a request through: always while closed, one every 10 s while open.

        Raises
        ------
        CircuitOpen
            With the seconds until the next request is let through.
        """
        with self._lock:
            circuit = self._circuits.get(server)
            if circuit is None or circuit.retry_at is None:
                return
            left = circuit.retry_at - self._clock()
            if left > 0:
                raise CircuitOpen(
                    "circuit-open",
                    "The OCPP server failed several times in a row and is not being called for a moment. Try again.",
                    retry_after=retry_after(left),
                )
            circuit.retry_at = self._clock() + _PAUSE

    def answered(self, server: str) -> None:
        """The server answered something: it is there."""
        if server in self._circuits:
            with self._lock:
                self._circuits.pop(server, None)

    def failed(self, server: str, charger_id: str | None) -> bool:
        """The connection was not made (`charger_id` None), or nothing came for a charger; True if this opened it."""
        with self._lock:
            circuit = self._circuits.setdefault(server, _Circuit())
            self._circuits.move_to_end(server)
            if len(self._circuits) > _SERVERS:
                self._circuits.popitem(last=False)
            if len(circuit.witnesses) < _WITNESSES:
                circuit.witnesses.add(charger_id if charger_id is not None else f"\0{len(circuit.witnesses)}")
            if len(circuit.witnesses) < _WITNESSES:
                return False
            opened = circuit.retry_at is None
            circuit.retry_at = self._clock() + _PAUSE
            return opened

"""Addresses of a host name, looked up within a deadline.

`socket.getaddrinfo` has no timeout: with a name service that does not answer it takes as long as the resolver's own retries. So it
runs in a daemon thread, and the caller stops waiting at the deadline. IP literals need neither look-up nor thread.
"""

from __future__ import annotations

import socket
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.transport.deadline import Deadline

    Address = tuple[int, tuple[str, int]]  # the family, and what `socket.connect` takes

_SHARE_WITH_KNOWN = 0.5  # of the time that is left, for a look-up if earlier addresses are known

_lock = Lock()
_running: dict[tuple[str, int], _LookUp] = {}
_known: dict[
    tuple[str, int], list[Address]
] = {}  # the last ones that were found; hosts come from settings only


class _LookUp:
    """One running look-up, which all of its callers share."""

    __slots__ = ("done", "failure", "found")

    def __init__(self) -> None:
        self.done = Event()
        self.found: list[Address] = []
        self.failure: OSError | None = None

    def run(self, host: str, port: int) -> None:
        try:
            # As bytes it is spared the codec for international names, and the codec's import.
            found = socket.getaddrinfo(host.encode(), port, 0, socket.SOCK_STREAM)
            self.found = [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]
        except OSError as error:
            self.failure = error
        except ValueError:
            self.failure = OSError("not a host name")
        finally:
            with _lock:
                _running.pop((host, port), None)
                if self.found:
                    _known[host, port] = self.found
            self.done.set()


def addresses_of(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Return the addresses of `host`; if the name service fails or is too slow, those that were found last.

    Raises
    ------
    OSError
        There are none; TimeoutError if they were not found in time.
    """
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    with _lock:
        known = _known.get((host, port))
        look_up = _running.get((host, port))
        if look_up is None:
            look_up = _LookUp()
            Thread(target=look_up.run, args=(host, port), daemon=True).start()
            _running[host, port] = look_up  # after the start, which may fail; the thread waits for the lock
    left = deadline.left()
    if look_up.done.wait(left * _SHARE_WITH_KNOWN if known else left):
        if look_up.found:
            return look_up.found
        if not known:
            raise look_up.failure or OSError("no addresses")
    if not known:
        raise TimeoutError
    return known

"""What the server does with the transactions that its chargers report."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from local.csms.version import Begin, End


class Recorder(Protocol):
    """Receives the reports of every charger, by its identity."""

    def booted(self, charger: str) -> None: ...

    def began(self, charger: str, begin: Begin) -> str:
        """Record a transaction, and return its id."""

    def ended(self, charger: str, end: End) -> None: ...


class NoRecords:
    """Assigns ids, and records nothing."""

    def __init__(self) -> None:
        # A restarted server must not assign the id of an older transaction.
        self._ids = itertools.count(int(time.time()))

    def booted(self, charger: str) -> None: ...

    def began(self, charger: str, begin: Begin) -> str:  # noqa: ARG002
        return begin.id or str(next(self._ids))

    def ended(self, charger: str, end: End) -> None: ...

"""A charge, as an OCPP server records it."""

from __future__ import annotations

from typing import NamedTuple


class Transaction(NamedTuple):
    """A charge in an OCPP server's records."""

    id: str  # as text
    charger_id: str  # as the server spells it
    token: str | None  # idTag as the charger sent it; None: the server names none
    connector: int | None
    started_at: float | None  # seconds since the epoch, the charger's clock; None: not known
    stopped_at: float | None  # None: it runs, as far as the server knows

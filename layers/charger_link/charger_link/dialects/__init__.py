"""How each kind of OCPP server speaks: one module per dialect, imported when the first request needs it.

A dialect is a module with

- ``REPEATABLE``: whether a start may be sent again under the same id without a second start;
- ``start(command, exchange) -> Answer``: ask for a start, read what became of it;
- ``status(command, exchange) -> Answer``: ask how the charger is, or ``status = None`` where the server cannot say.

It turns a command into that server's request and its reply into an answer, and nothing else: connections,
deadlines, limits and credentials are the exchange's. What it does not recognise it raises as `OutcomeUnknown`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from charger_link.command import Answer, Command
    from charger_link.link import Exchange

REPEATABLE = frozenset({"native"})

# The connector that a start names where neither the request nor the server's entry does; not listed: none.
DEFAULT_CONNECTORS: dict[str, int] = {}


class _Call(Protocol):
    def __call__(self, command: Command, exchange: Exchange, /) -> Answer: ...


class Dialect(Protocol):
    REPEATABLE: bool
    start: _Call
    status: _Call | None


def dialect(name: str) -> Dialect:
    """The module of a dialect that `LinkServer` knows."""
    return cast("Dialect", import_module(f"{__name__}.{name.replace('-', '_')}"))

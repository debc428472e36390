"""How each kind of OCPP server speaks: one module per dialect, imported when the first request needs it.

A dialect is a module with

- ``REPEATABLE``: whether a start may be sent again under the same id without a second start;
- ``HEALTH_PATH``: the path, below the base path, of a GET that starts nothing and asks no charger; any answer will do;
- ``start(command, exchange) -> Answer | Published``: ask for a start, read what became of it;
- ``status(command, exchange) -> Answer``: ask how the charger is, or ``status = None`` where the server cannot say.

It turns a command into that server's request and its reply into an answer, and nothing else: connections,
deadlines, limits and credentials are the exchange's. What it does not recognise it raises as `OutcomeUnknown`.
docs/dialects.md shows how to add one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from charger_link.command import Answer, Command, Published
    from charger_link.link import Exchange

REPEATABLE = frozenset({"native"})

# Those that answer later, by a POST to the command's callback URL.
CALLS_BACK = frozenset({"citrineos"})

# Where the API begins, where the server's entry names no base path; not listed: at the root.
BASE_PATHS = {"steve": "/steve/api/v1", "ocpp-core": "/API"}

# The connector that a start names where neither the request nor the server's entry does; not listed: none.
# OCPP.Core's path has a place for it, and many OCPP 1.6 chargers reject a start without one.
DEFAULT_CONNECTORS = {"steve": 1, "citrineos": 1, "ocpp-core": 1, "ocpp-cs": 1}

# Those that cannot do without: an entry may not say "none".
NEED_CONNECTOR = frozenset({"ocpp-core"})


class _Start(Protocol):
    def __call__(self, command: Command, exchange: Exchange, /) -> Answer | Published: ...


class _Status(Protocol):
    def __call__(self, command: Command, exchange: Exchange, /) -> Answer: ...


class Dialect(Protocol):
    REPEATABLE: bool
    HEALTH_PATH: str
    start: _Start
    status: _Status | None


def dialect(name: str) -> Dialect:
    """The module of a dialect that `LinkServer` knows."""
    return cast("Dialect", import_module(f"{__name__}.{name.replace('-', '_')}"))

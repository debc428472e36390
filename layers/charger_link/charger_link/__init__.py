"""The charger link: our client of an OCPP server's REST API.

The names below are imported on first use: a function that needs an error type or a dialect's facts does not load the whole link.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charger_link import addresses
    from charger_link.answer import Answer, Outcome, Published
    from charger_link.circuit import Circuits
    from charger_link.command import Command
    from charger_link.dialects.registry import CALLS_BACK, REPEATABLE
    from charger_link.errors import (
        ChargerUnknown,
        CircuitOpen,
        LinkError,
        OutcomeUnknown,
        ServerBusy,
        ServerFailed,
        ServerRefused,
        StatusNotAvailable,
        Unreachable,
    )
    from charger_link.link import Link
    from charger_link.records import Found, Stop
    from charger_link.servers import AddressNotAllowed, AddressUnusable, LinkServer, LinkServers, Server

__all__ = [
    "CALLS_BACK",
    "REPEATABLE",
    "AddressNotAllowed",
    "AddressUnusable",
    "Answer",
    "ChargerUnknown",
    "CircuitOpen",
    "Circuits",
    "Command",
    "Found",
    "Link",
    "LinkError",
    "LinkServer",
    "LinkServers",
    "Outcome",
    "OutcomeUnknown",
    "Published",
    "Server",
    "ServerBusy",
    "ServerFailed",
    "ServerRefused",
    "StatusNotAvailable",
    "Stop",
    "Unreachable",
    "addresses",
]

if not TYPE_CHECKING:
    _NAMES = {
        "answer": ("Answer", "Outcome", "Published"),
        "circuit": ("Circuits",),
        "command": ("Command",),
        "dialects.registry": ("CALLS_BACK", "REPEATABLE"),
        "errors": (
            "ChargerUnknown",
            "CircuitOpen",
            "LinkError",
            "OutcomeUnknown",
            "ServerBusy",
            "ServerFailed",
            "ServerRefused",
            "StatusNotAvailable",
            "Unreachable",
        ),
        "link": ("Link",),
        "records": ("Found", "Stop"),
        "servers": ("AddressNotAllowed", "AddressUnusable", "LinkServer", "LinkServers", "Server"),
    }
    _MODULES = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

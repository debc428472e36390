"""The charger link: our client of an OCPP server's REST API."""

from charger_link import addresses
from charger_link.circuit import Circuits
from charger_link.command import Answer, Command, Outcome, Published
from charger_link.dialects import CALLS_BACK, REPEATABLE
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
    "Unreachable",
    "addresses",
]

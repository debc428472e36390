"""The record in which a dialect declares everything about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from charger_link.dialects import registry
from charger_link.dialects.facts import DialectFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link.answer import Answer, Published
    from charger_link.command import Command
    from charger_link.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(DialectFacts):
    """The facts about a kind of OCPP server, and how requests are sent to it.

    ``start`` requests a start and returns its answer.
    ``status`` requests the charger's status; None: the server has no request for it.
    Both only turn a command into the server's requests and the server's replies into an answer: connections, deadlines, limits
    and credentials belong to the exchange. They raise `OutcomeUnknown` for a reply that they do not recognise.
    """

    start: Callable[[Command, Exchange], Answer | Published]
    status: Callable[[Command, Exchange], Answer] | None


def load_dialect(name: str) -> Dialect:
    """Return the dialect of this name in the registry, with its functions."""
    return cast("Dialect", registry.load(name))

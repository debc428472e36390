"""The facts that a dialect declares about its kind of OCPP server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link.answer import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectFacts:
    """The part of a `Dialect` that needs neither a command nor an exchange.

    ``health_path``: the path, below the base path, of a GET that starts nothing and sends nothing to a charger. Any response
    proves that the server answers.
    ``base_path``: where the server's API begins if its entry names no base path.
    ``default_connector``: the connector of a start if neither the request nor the server's entry names one.
    ``needs_connector``: the server cannot start without a connector, so that an entry may not say "none".
    ``repeatable``: a start may be sent again under the same id without a second start.
    ``carries_remote_start_id``: the server sends our remoteStartId to every charger of OCPP 2.0.1.
    ``read_callback``: return the charger's answer from the body that the server posts to the callback URL and the attempt's
    connector, or raise `OutcomeUnknown`. None: the server sends no callbacks.
    """

    name: str
    health_path: str
    base_path: str = ""
    default_connector: int | None = None
    needs_connector: bool = False
    repeatable: bool = False
    carries_remote_start_id: bool = False
    read_callback: Callable[[Any, int | None], Answer] | None = None

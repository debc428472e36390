"""The record in which a dialect declares everything about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link.answer import Answer, Published


class Dialect(NamedTuple):
    """The facts about a kind of OCPP server, and the functions that send requests to it.

    ``start(command, exchange)`` requests a start and returns its answer.
    ``status(command, exchange)`` requests the charger's status; None: the server has no request for it.
    Both only turn a command into the server's requests, and the server's replies into an answer: connections, deadlines, limits
    and credentials belong to the exchange. They raise `OutcomeUnknown` for a reply that they do not recognise.
    Their parameters have no types here: a `Command` names an entry of LinkServers, which reads this record.

    ``health_path``: the path, below the base path, of a GET that starts nothing and sends nothing to a charger. Any response
    proves that the server answers.
    ``base_path``: where the server's API begins if its entry names no base path.
    ``default_connector``: the connector of a start if neither the request nor the server's entry names one.
    ``needs_connector``: the server cannot start without a connector, so that an entry may not say "none".
    ``repeatable``: a start may be sent again under the same id without a second start.
    ``carries_remote_start_id``: the server sends our remoteStartId to every charger of OCPP 2.0.1.
    ``read_callback(body, connector)`` returns the charger's answer from the body that the server posts to the callback URL and
    the attempt's connector, or raises `OutcomeUnknown`. None: the server sends no callbacks.
    """

    name: str
    start: Callable[..., Answer | Published]
    status: Callable[..., Answer] | None
    health_path: str
    base_path: str = ""
    default_connector: int | None = None
    needs_connector: bool = False
    repeatable: bool = False
    carries_remote_start_id: bool = False
    read_callback: Callable[[Any, int | None], Answer] | None = None

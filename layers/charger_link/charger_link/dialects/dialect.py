"""The record in which a dialect declares everything about itself."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link.answer import Answer, Published
    from charger_link.records import Found, Stop
    from common.remote_start.transaction import Transaction


class Dialect(NamedTuple):
    """The facts about a kind of OCPP server, and the functions that send requests to it.

    ``start(command, exchange)`` requests a start and returns its answer.
    ``status(command, exchange)`` requests the charger's status; None: the server has no request for it.
    These and the requests below only turn a command into the server's requests, and the server's replies into an answer:
    connections, deadlines, limits and credentials belong to the exchange. They raise `OutcomeUnknown` for a reply that they do not
    recognise.
    Their parameters have no types here: a `Command` names an entry of LinkServers, which reads this record.

    ``health_path``: the path, below the base path, of a GET that starts nothing and sends nothing to a charger. Any response
    proves that the server answers.
    ``wait``: the seconds that the server itself waits for the charger's answer to a start.
    ``delivery``: the seconds within which the server ordinarily delivers a start that it took; no wait makes that certain.
    ``base_path``: where the server's API begins if its entry names no base path.
    ``default_connector``: the connector of a start if neither the request nor the server's entry names one.
    ``needs_connector``: the server cannot start without a connector, so that an entry may not say "none".
    ``repeatable``: a start may be sent again under the same id without a second start.
    ``carries_remote_start_id``: the server sends our remoteStartId to every charger of OCPP 2.0.1.
    ``read_callback(body, connector)`` returns the charger's answer from the body that the server posts to the callback URL and
    the attempt's connector, or raises `OutcomeUnknown`. None: the server sends no callbacks.

    About a start that was sent; None: the server has no such request. None of them ever starts anything.
    ``find(command, since, until, exchange)`` returns what the server's records say of the start; `since` and `until` are in
    seconds since the epoch, and limit when a transaction of a search without our id began.
    ``read_transaction(command, transaction_id, exchange)`` returns the transaction as it is now; None: there is no such one.
    ``stop(command, transaction, exchange)`` stops a charge; it returns None if this release of the server has no such request.
    ``stops_by_id``: ``stop`` needs our id only, and its transaction may be None.
    ``read_stop_callback(body)`` returns the outcome of a stop whose answer the server posts to the callback URL.
    """

    name: str
    start: Callable[..., Answer | Published]
    status: Callable[..., Answer] | None
    health_path: str
    wait: float
    delivery: float
    base_path: str = ""
    default_connector: int | None = None
    needs_connector: bool = False
    repeatable: bool = False
    carries_remote_start_id: bool = False
    read_callback: Callable[[Any, int | None], Answer] | None = None
    find: Callable[..., Found] | None = None
    read_transaction: Callable[..., Transaction | None] | None = None
    stop: Callable[..., Stop | Published | None] | None = None
    stops_by_id: bool = False
    read_stop_callback: Callable[[Any], Stop] | None = None


def load_later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports `module` when it is first called, and calls the function `name` of it.

    A function that only starts charges imports nothing that finds or stops them.
    """

    def call(*arguments: Any) -> Any:
        return getattr(import_module(module), name)(*arguments)

    return call

"""What the link is asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from charger_link.servers import Server


class Command(NamedTuple):
    """Connect `token` to `charger_id` at `server`; without a token, only request the charger's status.

    ``connector`` is None if neither the request nor, for a start, the server's entry names one.
    ``callback_url`` is the URL for the answer of a server that answers later; None if the dialect has no use for it.
    ``doubt``: an earlier request with this id may have reached the server.
    """

    id: str
    charger_id: str
    token: str | None
    connector: int | None
    server: Server
    trace_parent: str | None = None
    callback_url: str | None = None
    doubt: bool = False

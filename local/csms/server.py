"""The OCPP server: native REST on one port, OCPP-J over WebSocket on another, in one event loop."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.csms.chargers import Chargers
from local.csms.connections import Connections
from local.csms.native import Native
from local.csms.store import Store
from local.csms.transaction_log import TransactionLog
from local.csms.transactions import Transactions
from local.listeners import serving_http, serving_ocpp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection


@dataclass(frozen=True, slots=True)
class Options:
    """The server listens on `host` and `extra_hosts`; a port of 0 takes any free one.

    After `ping_window` seconds without a pong, a charger counts as disconnected. After `call_timeout` seconds, the next call
    may be sent to a charger that has not answered. `allowed_hosts` are further names that the Host header may hold.
    """

    host: str = "127.0.0.1"
    extra_hosts: tuple[str, ...] = ()
    rest_port: int = 0
    ocpp_port: int = 0
    database: str = ":memory:"
    known: tuple[str, ...] = ()
    authorization: str | None = None
    ping_window: float = 20.0
    call_timeout: float = 30.0
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Csms:
    """A running server: its addresses, and the chargers that it knows (to be used in its event loop only)."""

    rest_url: str
    rest_port: int
    ocpp_url: str
    """Base of a charger's URL. A slash and the percent-encoded identity follow."""
    ocpp_port: int
    chargers: Chargers


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Csms]:
    """Run the server in this event loop. Raises PortTaken, sqlite3.Error."""
    async with contextlib.AsyncExitStack() as stack:
        store = Store(options.database)
        stack.callback(store.close)
        known = (*options.known, *store.charger_identities())
        chargers = Chargers(known, options.call_timeout)
        connections = Connections(store, chargers)
        transactions = Transactions(store, TransactionLog(store), chargers, connections)

        async def serve_charger(websocket: ServerConnection, identity: str) -> None:
            store.add_charger(identity)
            await chargers.serve(websocket, identity, transactions)

        ocpp_port = await stack.enter_async_context(
            serving_ocpp(
                serve_charger,
                options.host,
                options.ocpp_port,
                options.ping_window,
                extra_hosts=options.extra_hosts,
                allowed_hosts=options.allowed_hosts,
            )
        )
        stack.push_async_callback(connections.close)
        stack.push_async_callback(transactions.close)
        native = Native(connections, transactions, options.authorization)
        rest = await stack.enter_async_context(
            serving_http(
                native.respond,
                options.host,
                options.rest_port,
                extra_hosts=options.extra_hosts,
                allowed_hosts=options.allowed_hosts,
            )
        )
        yield Csms(rest.url, rest.port, f"ws://{options.host}:{ocpp_port}/ocpp", ocpp_port, chargers)

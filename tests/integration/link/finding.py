"""Finds and stops of the tests: the real link against a server of raw sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from charger_link import Circuits, Command, Found, Link, LinkError, LinkServers, Published, Stop
from charger_link.secrets import Secrets
from common.remote_start.transaction import Transaction
from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.misbehaving import Misbehaving

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
CHARGER = "CP1"
CALLBACK_URL = "https://charge.example.com/api/v1/ocpp/callbacks/id/1/s?keySignature=c"
BEGAN = 1_795_595_400.0  # 2026-11-25T08:30:00Z
ENDED = BEGAN + 60
Result = TypeVar("Result")


def transaction(id_: str = "7", **changes: Any) -> Transaction:
    """Return a transaction that runs, as the test's server records it."""
    return Transaction(id_, CHARGER, "TAG1", 1, BEGAN, None)._replace(**changes)


class Finder:
    """A link to one server of one dialect; each method returns the link's result or its error."""

    def __init__(self, server: Misbehaving, dialect: str, **entry: Any) -> None:
        self.server = server
        self._link = Link(Circuits(), Secrets.of(None))
        allowed = [
            {"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http", "dialect": dialect, **entry}
        ]
        found = LinkServers.parse(json.dumps(allowed)).find("127.0.0.1", server.port)
        self.command = Command(ID, CHARGER, None, 1, found, callback_url=CALLBACK_URL)

    def find(
        self, since: float = BEGAN - 60, until: float = BEGAN + 600, **changes: Any
    ) -> Found | LinkError | None:
        command = self.command._replace(**changes)
        return _result(lambda: self._link.find(command, since, until, Deadline.after(5)))

    def read(self, transaction_id: str = "7") -> Transaction | LinkError | None:
        return _result(lambda: self._link.read_transaction(self.command, transaction_id, Deadline.after(5)))

    def stop(
        self, which: Transaction | None = None, seconds: float = 5, **changes: Any
    ) -> Stop | Published | LinkError | None:
        command = self.command._replace(**changes)
        return _result(lambda: self._link.stop(command, which, Deadline.after(seconds)))

    @property
    def requests(self) -> list[tuple[str, str]]:
        """The method and the path, without its query, of each request that the server received."""
        return [(request.method, urlsplit(request.path).path) for request in self.server.requests]

    @property
    def query(self) -> dict[str, str]:
        """The query of the last request."""
        return {
            name: value for name, (value,) in parse_qs(urlsplit(self.server.requests[-1].path).query).items()
        }

    @property
    def sent(self) -> Any:
        """The body of the last request."""
        return json.loads(self.server.requests[-1].body)


def summarize(result: object) -> str:
    """Return an error as ``type kind``, a stop as ``status info``, and anything else as its type's name."""
    if isinstance(result, LinkError):
        return f"{type(result).__name__} {result.kind}"
    if isinstance(result, Stop):
        return f"{result.status} {result.info or 'null'}"
    return type(result).__name__


def _result(request: Callable[[], Result]) -> Result | LinkError:
    try:
        return request()
    except LinkError as error:
        return error

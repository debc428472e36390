"""The resolve function with the embedded table, a simulator of SteVe, and a clock that the tests set."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, Claimed, Settlement, State, resolutions, token_digest
from common.journal.attempt import timestamp
from common.journal.unfinished import SHARDS, read
from common.transport import Deadline
from local.running import in_thread
from local.simulators import Steve, serving_simulator
from resolve.handler import respond
from resolve.service import Service
from tests.integration.calling import LOOPBACK, Context
from tests.integration.misbehaving import Misbehaving, responds_with
from tests.operations.conftest import captured_lines, messages, metrics
from tests.unit.journal.transitions import ID, NOW, START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer
    from tests.integration.misbehaving import Script

SECRET = "a secret of the tests"
TOKEN = "04A2B3C4"
SENT = NOW  # when the attempts were sent
FIRST, SECOND = NOW + 35, NOW + 95  # the times of two sweeps
PROBLEM = {"type": "outcome-unknown", "detail": "x"}


class Swept:
    """What one sweep returned, counted and logged."""

    def __init__(self, result: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        self.result = result
        self.counted = {name: value for (name, _), value in metrics(lines).items()}
        self.lines = messages(lines)

    @property
    def surprises(self) -> dict[str, float]:
        """The counters that are not 0."""
        names = (
            "Found",
            "StartedAfterAll",
            "SecondTransactions",
            "Contradictions",
            "Crashes",
            "JournalFailures",
        )
        return {name: self.counted[name] for name in names if self.counted.get(name)}

    def log(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message"] == message]


class Scene:
    """Attempts at one charger, and the sweeps that look for their charges; `now` is the time of both."""

    def __init__(self, table: TableServer, steve: Steve, port: int) -> None:
        self.table = table
        self.steve = steve
        self.port = port
        self.now = SENT
        self._closers = ExitStack()
        self.use(LOOPBACK | {"dialect": "steve"})

    def use(self, *entries: dict[str, Any]) -> None:
        """Set LinkServers."""
        environment = {
            **self.table.environment(),
            "JOURNAL_SECRET": SECRET,
            "LINK_SERVERS": json.dumps(entries),
        }
        self.close()
        self.service = Service.of(environment)
        self._closers.callback(self.service.close)
        self.journal = self.service.journal
        self.journal.clock = lambda: self.now

    def claim(
        self, id_: str = ID, *, port: int | None = None, driver: str = TOKEN, **changes: Any
    ) -> Claimed:
        server = self.service.servers.find("127.0.0.1", port or self.port)
        opening = START._replace(
            **{
                "id": id_,
                "server": server.name,
                "dialect": server.entry.dialect,
                "url": server.url,
                "tenant": server.entry.tenant,
                "digest": token_digest(SECRET.encode(), "CP-1", driver),
                "lease": self.now + 29,
                **changes,
            }
        )
        claimed = self.journal.claim(opening, soon())
        assert isinstance(claimed, Claimed)
        return claimed

    def unknown(self, id_: str = ID, **changes: Any) -> Attempt:
        """Return an attempt that was sent now, and whose outcome is unknown."""
        claimed = self.claim(id_, **changes)
        settlement = Settlement(State.UNKNOWN, problem=PROBLEM, due=self.now + 30)
        assert self.journal.settle(claimed, settlement, soon()) is None
        return self.get(id_)

    def resolve(self, outcome: str, now: float, id_: str = ID) -> None:
        """Record an operator's word."""
        attempt = self.get(id_)
        if outcome == "accepted":
            answer = {
                "outcome": "accepted",
                "status": "Accepted",
                "connectorId": 1,
                "errorCode": "NoError",
                "info": None,
            }
            update = resolutions.resolve_accepted(attempt, "n", "olga", answer, now)
        else:
            update = resolutions.resolve_not_started(attempt, "n", "olga", now)
        assert self.journal.apply(update, soon())

    def begins(self, at: float, token: str = TOKEN, *, stopped: float | None = None) -> int:
        """Add a transaction to SteVe's records, and return its id."""
        end = None if stopped is None else timestamp(stopped)
        return self.steve.transactions.add("CP-1", token, 1, timestamp(at), end)

    def sweep(self, now: float) -> Swept:
        self.now = now
        with captured_lines() as lines:
            result = respond({"sweep": True}, Context(50.0, function_name="ResolveFunction"), self.service)
        return Swept(result, lines)

    def get(self, id_: str = ID) -> Attempt:
        attempt = self.journal.get(id_, soon())
        assert attempt is not None
        return attempt

    def state(self, id_: str = ID) -> State:
        return self.get(id_).state

    def listed(self) -> dict[str, float]:
        """Return the entries of the index, with the time at which each is due."""
        pages = [read(self.journal, shard, 100, soon()) for shard in SHARDS]
        return {entry.id: entry.due_at for page in pages for entry in page}

    def write(self, id_: str = ID, **attributes: dict[str, Any]) -> None:
        """Change attributes of an item, in DynamoDB's notation, as another version may."""
        (item,) = [item for item in self.table.items() if item["id"]["S"] == id_]
        self.table.call("PutItem", {"TableName": self.table.name, "Item": {**item, **attributes}})

    def close(self) -> None:
        self._closers.close()


def soon() -> Deadline:
    return Deadline.after(5)


def id_of(number: int) -> str:
    return f"3f2504e0-4f89-11d3-9a0c-{number:012}"


def native_record(
    state: str = "answered", status: str | None = "Accepted", *transactions: dict[str, Any]
) -> Script:
    """Return the script of a native server that has the attempt's record."""
    result = status and {
        "chargerId": "CP-1",
        "connectorId": 1,
        "errorCode": "NoError",
        "status": status,
        "info": None,
    }
    body = {"id": ID, "chargerId": "CP-1", "state": state, "cancelled": False, "result": result}
    return responds_with(200, json.dumps({**body, "transactions": list(transactions)}).encode())


@pytest.fixture
def scene(table: TableServer) -> Iterator[Scene]:
    steve = Steve()
    with (
        in_thread(serving_simulator(steve)) as simulator,
        closing(Scene(table, steve, simulator.port)) as scene,
    ):
        yield scene


@pytest.fixture
def native(table: TableServer, server: Misbehaving) -> Iterator[Scene]:
    """An attempt at a native server, whose scripts the test sets."""
    with closing(Scene(table, Steve(), server.port)) as scene:
        scene.use(LOOPBACK)
        scene.unknown()
        yield scene

"""Attempts in every state, written as the connect function writes them, for tests of stops."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from charger_link import Answer, Outcome
from common.aws.credentials import from_environment
from common.journal import (
    Attempt,
    Claimed,
    DynamoDB,
    Journal,
    Opening,
    Settlement,
    State,
    looks,
    resolutions,
    token_digest,
)
from common.journal.attempt import timestamp
from common.transport import Deadline
from local.ocppj import now
from local.simulators import Steve
from tests.integration.calling import LOOPBACK, Caller, CallerResponse, calling
from tests.integration.dialects.link_client import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.journal.update import Update
    from common.remote_start.transaction import Transaction
    from local.chargers import Behaviour, ChargePoint
    from local.simulators import Simulator
    from local.table import TableServer

SECRET = b"a secret of the tests"  # of `Caller`
TOKEN = "TAG1"
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
ACCEPTED = Answer(Outcome.ACCEPTED, "Accepted", 1).record()
REJECTED = Answer(Outcome.REJECTED, "Rejected", 1).record()


class Stopping:
    """The functions, and attempts at one server of one dialect. Each was sent `ago` seconds ago."""

    def __init__(self, table: TableServer, caller: Caller, port: int, client: DynamoDB) -> None:
        self.table = table
        self.caller = caller
        self.port = port
        self._client = client

    def journal(self, ago: float = 0.0) -> Journal:
        return Journal(self._client, self.table.name, clock=lambda: time.time() - ago)

    def pending(self, ago: float = 40.0, hold: float = 5.0, **changes: Any) -> Claimed:
        """Return a claim whose lease ended `hold` seconds after it was sent."""
        server = self.caller.service.servers.find("127.0.0.1", self.port)
        charger = changes.get("charger_id", "CP")
        opening = Opening(
            id=str(uuid4()),
            charger_id=charger,
            server=server.name,
            dialect=server.entry.dialect,
            connector=1,
            token="****",
            fingerprint=b"f" * 32,
            lease=time.time() - ago + hold,
            caller="alice",
            url=server.url,
            digest=token_digest(SECRET, charger, TOKEN),
            tenant=server.entry.tenant,
        )
        claimed = self.journal(ago).claim(opening._replace(**changes), soon())
        assert isinstance(claimed, Claimed)
        return claimed

    def settled(self, settlement: Settlement, ago: float = 40.0, **changes: Any) -> str:
        claimed = self.pending(ago, **changes)
        assert self.journal(ago).settle(claimed, settlement, soon()) is None
        return claimed.attempt.id

    def unknown(self, ago: float = 40.0, **changes: Any) -> str:
        return self.settled(Settlement(State.UNKNOWN, problem=PROBLEM), ago, **changes)

    def failed(self, ago: float = 40.0, **changes: Any) -> str:
        return self.settled(Settlement(State.FAILED, problem=PROBLEM), ago, **changes)

    def accepted(self, ago: float = 40.0, transaction: Transaction | None = None, **changes: Any) -> str:
        settlement = Settlement(State.COMPLETED, answer=ACCEPTED, started=True, transaction=transaction)
        return self.settled(settlement, ago, **changes)

    def resolved(self, ago: float = 200.0, **changes: Any) -> str:
        """Return an attempt of which an operator recorded that nothing was started."""
        id_ = self.unknown(ago, **changes)
        update = resolutions.resolve_not_started(self.get(id_), "I looked.", "olga", time.time())
        assert self.apply(update)
        return id_

    def seen_before(self, id_: str) -> None:
        """Make the sightings of an attempt 15 seconds older."""
        attempt = self.get(id_)
        assert attempt.sightings
        earlier = dict.fromkeys(attempt.sightings, timestamp(time.time() - 15))
        due = attempt.dueAt or time.time()
        assert self.apply(looks.record_look(attempt, time.time(), due, matching=earlier, nothing=False))

    def stop(self, id_: str, **options: Any) -> CallerResponse:
        return self.caller.delete(id_, **options)

    def stop_when_certain(self, id_: str) -> CallerResponse:
        """Stop twice: the first look sees the transaction, and the second one is certain."""
        first = self.stop(id_)
        assert outcome(first) == (409, "not-yet-started"), first
        self.seen_before(id_)
        return self.stop(id_)

    def apply(self, update: Update) -> bool:
        return self.journal().apply(update, soon())

    def get(self, id_: str) -> Attempt:
        found = self.journal().get(id_, soon())
        assert found is not None
        return found


class SteveSite(Stopping):
    """A simulated SteVe with its charge points."""

    model: Steve
    simulator: Simulator
    points: dict[str, ChargePoint]

    def begin(self, charger: str = "CP", token: str = TOKEN, connector: int = 1, ago: float = 35.0) -> str:
        """Insert a transaction that began `ago` seconds ago."""
        return str(self.model.transactions.add(charger, token, connector, now(-ago)))

    def end(self, id_: str) -> None:
        (row,) = [row for row in self.model.transactions._rows if str(row.id) == id_]
        row.stopped = now()

    def requests_to_stop(self) -> int:
        """Return how many transactions of all charge points were requested to stop."""
        return sum(
            one.stop_requested.is_set() for point in self.points.values() for one in point.transactions
        )


@contextmanager
def stopping(table: TableServer, port: int, **entry: Any) -> Iterator[Stopping]:
    with _client(table) as client, calling(table, {**LOOPBACK, **entry}, LINK_TIMEOUT="2") as caller:
        yield Stopping(table, caller, port, client)


@contextmanager
def steve_site(table: TableServer, *behaviours: Behaviour, **settings: str) -> Iterator[SteveSite]:
    model = Steve(timeout=2.0)
    entry = {**LOOPBACK, "dialect": "steve"}
    settings = {"LINK_TIMEOUT": "5", **settings}
    with (
        running_simulator(model, *behaviours) as (simulator, points),
        _client(table) as client,
        calling(table, entry, **settings) as caller,
    ):
        site = SteveSite(table, caller, simulator.port, client)
        site.model, site.simulator, site.points = model, simulator, points
        yield site


@contextmanager
def _client(table: TableServer) -> Iterator[DynamoDB]:
    environ = table.environment()
    with closing(DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))) as client:
        yield client


def outcome(response: CallerResponse) -> tuple[int, str | None]:
    """Return the status code, and the problem, or the answer's info or status."""
    return response.status, response.problem or response.body["info"] or response.body["status"]


def soon() -> Deadline:
    return Deadline.after(5)

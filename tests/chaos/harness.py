"""The system under test: gateway, runtimes of the built artefact, table, OCPP server and charge points."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.journal import Attempt, State
from local import template
from local.chargers import Behaviour, ChargePoint, Reaction, charging
from local.dialects import is_connected
from local.gateway import serve
from local.running import in_thread
from local.table import start_table
from tests.chaos.judge import Evidence
from tests.chaos.runtimes import Runtimes
from tests.chaos.servers import HOST, STARTUP_TIMEOUT, Server
from tests.ports import free_ports
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from local.table import TableServer

# Seconds, instead of the template's 29: a lease lasts as long, and the tests wait for leases.
FUNCTION_TIMEOUT = 8
LINK_TIMEOUT = 3  # seconds

UNUSUAL_REACTIONS = (
    Reaction.REJECT,
    Reaction.DROP,
    Reaction.SILENT,
    Reaction.NOT_SUPPORTED,
    Reaction.FAIL,
    Reaction.LATE,
)
_LATE_SECONDS = 6.0  # longer than the service and the OCPP server wait
_CLOCK_OFFSETS = (0.0, 0.0, -50.0, 50.0)  # seconds; the service tolerates 60


def make_behaviours(
    count: int, unusual: Sequence[Reaction], versions: Sequence[str], rng: random.Random
) -> list[Behaviour]:
    """Return charge points of these OCPP versions: one for each unusual reaction; the others accept starts, some with a delay.

    The clocks of some are wrong.
    """
    return [
        Behaviour(
            f"CP-{number}",
            version=rng.choice(versions),
            reaction=unusual[number] if number < len(unusual) else Reaction.ACCEPT,
            delay=rng.choice((0.0, 0.0, 0.3, 1.0)),
            charge_seconds=0.1,
            late_seconds=_LATE_SECONDS,
            clock_offset=rng.choice(_CLOCK_OFFSETS),
        )
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Harness:
    """All running parts. The charge points write `starts_file`."""

    port: int
    table: TableServer
    runtimes: Runtimes
    server: Server
    chargers: dict[str, ChargePoint]
    loop: asyncio.AbstractEventLoop
    starts_file: Path

    def cut_socket(self, identity: str) -> None:
        """Disconnect a charge point's socket without a closing handshake."""
        self.loop.call_soon_threadsafe(self.chargers[identity].disconnect)

    def read_evidence(self) -> Evidence:
        """Return what table, charge points and OCPP server have recorded."""
        lines = self.starts_file.read_text().splitlines() if self.starts_file.exists() else []
        charges: dict[str, set[tuple[str, str]]] = {}
        for identity, charger in self.chargers.items():
            for transaction in charger.transactions:
                charges.setdefault(transaction.token, set()).add((identity, charger.id_of(transaction)))
        return Evidence(
            starts=Counter(json.loads(line)["token"] for line in lines),
            charges=charges,
            recorded=self.server.read_transactions(),
            attempts=self.read_attempts(),
            behaviours={identity: charger.behaviour for identity, charger in self.chargers.items()},
        )

    def read_attempts(self) -> dict[str, Attempt]:
        """Return every attempt in the table, by id."""
        # The table has items for taken transactions, too, which have no state.
        items = [item for item in self.table.items() if "state" in item]
        return {attempt.id: attempt for attempt in map(Attempt.of, items)}

    def wait_for_leases(self) -> None:
        """Wait until all leases have expired."""
        leases = [
            attempt.lease for attempt in self.read_attempts().values() if attempt.state is State.PENDING
        ]
        time.sleep(max(0.0, max(leases, default=0.0) - time.time() + 0.1))

    def wait_for_reports(self) -> None:
        """Wait until each charge has ended and the OCPP server has received its reports."""
        transactions = [one for charger in self.chargers.values() for one in charger.transactions]
        eventually(lambda: all(one.stopped_at is not None for one in transactions), 60)


@contextmanager
def run_harness(
    directory: Path, dialect: str, behaviours: list[Behaviour], runtime_count: int
) -> Iterator[Harness]:
    """Run all parts with these charge points until the end of the block. The parts write their files to `directory`."""
    identities = [behaviour.identity for behaviour in behaviours]
    starts_file = directory / "starts.jsonl"
    (port,) = free_ports(1)
    with ExitStack() as stack:
        table = stack.enter_context(closing(start_table()))
        server = stack.enter_context(closing(Server(dialect, directory, identities)))
        chargers, loop = stack.enter_context(
            in_thread(_run_chargers(behaviours, server.ocpp_url, starts_file))
        )
        entry = {
            "network": "127.0.0.0/8",
            "ports": [server.rest_port],
            "scheme": "http",
            "dialect": dialect,
        }
        shared = table.environment() | {
            "LINK_SERVERS": json.dumps([entry]),
            "LINK_TIMEOUT": str(LINK_TIMEOUT),
            "CALLBACK_BASE_URL": f"http://{HOST}:{port}",
        }
        short = shared | {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(FUNCTION_TIMEOUT)}
        variables = {"ConnectFunction": short, "CallbackFunction": short, "ResolveFunction": shared}
        counts = {"ConnectFunction": runtime_count, "CallbackFunction": 1, "ResolveFunction": 1}
        runtimes = stack.enter_context(closing(Runtimes(variables, counts)))
        stack.enter_context(closing(serve(template.read().routes, runtimes.invoke, port=port)))
        _wait_until_connected(server, identities)
        yield Harness(port, table, runtimes, server, chargers, loop, starts_file)


@asynccontextmanager
async def _run_chargers(
    behaviours: list[Behaviour], url: str, starts_file: Path
) -> AsyncIterator[tuple[dict[str, ChargePoint], asyncio.AbstractEventLoop]]:
    async with charging(behaviours, url, starts_file) as chargers:
        yield chargers, asyncio.get_running_loop()


def _wait_until_connected(server: Server, identities: list[str]) -> None:
    until = time.monotonic() + STARTUP_TIMEOUT
    waiting = set(identities)
    while waiting:
        if time.monotonic() > until:
            raise RuntimeError(f"these charge points did not connect: {sorted(waiting)}")
        waiting = {
            identity for identity in waiting if not is_connected(server.dialect, server.rest_port, identity)
        }

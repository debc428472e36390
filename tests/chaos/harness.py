"""The system under test: gateway, runtimes of the built artefact, table, OCPP server and charge points."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

from common.journal import Attempt, State
from local import template
from local.chargers import Behaviour, ChargePoint, Reaction, charging
from local.dialects import NATIVE, is_connected
from local.gateway import FunctionError, serve
from local.running import in_thread
from local.table import start_table
from tests.end_to_end.emulator import Emulator
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from local.table import TableServer

HOST = "127.0.0.1"
# Seconds, instead of the template's 29: a lease lasts as long, and the tests wait for leases.
FUNCTION_TIMEOUT = 8
LINK_TIMEOUT = 3  # seconds
CALL_TIMEOUT = 4.0  # seconds that the OCPP server waits for a charge point
STARTUP_TIMEOUT = 20.0  # seconds

UNUSUAL_REACTIONS = (Reaction.REJECT, Reaction.DROP, Reaction.SILENT, Reaction.NOT_SUPPORTED, Reaction.FAIL)


def make_behaviours(count: int, unusual: Sequence[Reaction], rng: random.Random) -> list[Behaviour]:
    """Return charge points of both OCPP versions: one for each unusual reaction; the others accept starts, some with a delay."""
    return [
        Behaviour(
            f"CP-{number}",
            version=rng.choice(("1.6", "2.0.1")),
            reaction=unusual[number] if number < len(unusual) else Reaction.ACCEPT,
            delay=rng.choice((0.0, 0.0, 0.3, 1.0)),
            charge_seconds=0.1,
        )
        for number in range(count)
    ]


class Server:
    """The OCPP server: a process that can be killed and restarted. Its record of ids is durable."""

    def __init__(self, database: Path, known: list[str]) -> None:
        self._ports = free_ports(2)
        self._arguments = [
            f"--database={database}",
            f"--known={','.join(known)}",
            f"--call-timeout={CALL_TIMEOUT}",
        ]
        self._lock = Lock()
        self._process = self._start()

    @property
    def rest_port(self) -> int:
        return self._ports[0]

    @property
    def ocpp_url(self) -> str:
        return f"ws://{HOST}:{self._ports[1]}/ocpp"

    def kill(self, downtime: float) -> None:
        """Kill the process with SIGKILL and restart it after `downtime` seconds."""
        with self._lock:
            self._process.kill()
            self._process.wait()
            time.sleep(downtime)
            self._process = self._start()

    def close(self) -> None:
        with self._lock:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        rest, ocpp = self._ports
        command = [
            sys.executable,
            "-m",
            "local.csms",
            f"--rest-port={rest}",
            f"--ocpp-port={ocpp}",
            *self._arguments,
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + STARTUP_TIMEOUT
        while time.monotonic() < until:
            with suppress(OSError), closing(HTTPConnection(HOST, rest, timeout=2)) as connection:
                connection.connect()
                return process
            time.sleep(0.02)
        raise RuntimeError("the OCPP server did not start")


class Runtimes:
    """Several sandboxes of the connect function, each for one invocation at a time. A killed sandbox is replaced."""

    def __init__(self, variables: dict[str, str], count: int) -> None:
        self._variables = variables
        self._free: SimpleQueue[Emulator] = SimpleQueue()
        self._all: list[Emulator] = []
        self._lock = Lock()
        for _ in range(count):
            self._free.put(self._make())

    def __call__(self, _function: str, event: dict[str, Any]) -> Any:
        """Invoke the function for the gateway. Raises FunctionError if the sandbox terminated or the function failed."""
        sandbox = self._free.get()
        try:
            result = sandbox.invoke(event)
        except OSError as error:  # ConnectionError, and the errors of a killed emulator's socket
            with self._lock:
                self._all.remove(sandbox)
            sandbox.close()
            sandbox = self._make()
            raise FunctionError("the sandbox terminated") from error
        finally:
            self._free.put(sandbox)
        if "statusCode" not in result:
            raise FunctionError(json.dumps(result))
        return result

    def kill(self, rng: random.Random) -> None:
        """Kill the emulator and the runtime of one random sandbox with SIGKILL."""
        with self._lock:
            rng.choice(self._all).kill()

    def close(self) -> None:
        with self._lock:
            for sandbox in self._all:
                sandbox.close()

    def _make(self) -> Emulator:
        sandbox = Emulator("ConnectFunction", self._variables)
        with self._lock:
            self._all.append(sandbox)
        return sandbox


@dataclass(frozen=True, slots=True)
class Harness:
    """All running parts. The charge points write `starts_file`, the OCPP server its database `records`."""

    port: int
    table: TableServer
    runtimes: Runtimes
    server: Server
    chargers: dict[str, ChargePoint]
    loop: asyncio.AbstractEventLoop
    starts_file: Path
    records: Path

    def cut_socket(self, identity: str) -> None:
        """Disconnect a charge point's socket without a closing handshake."""
        self.loop.call_soon_threadsafe(self.chargers[identity].disconnect)

    def read_starts(self) -> Iterator[dict[str, Any]]:
        """Return every start that a charge point received."""
        if self.starts_file.exists():
            yield from map(json.loads, self.starts_file.read_text().splitlines())

    def read_record(self, id_: str) -> str:
        """Return the state of the OCPP server's durable record of an id: "none", "not-sent", "sent" or "answered"."""
        with closing(sqlite3.connect(self.records, timeout=STARTUP_TIMEOUT)) as database:
            row = database.execute("SELECT state FROM connection WHERE id = ?", (id_,)).fetchone()
        return str(row[0]) if row else "none"

    def read_attempts(self) -> list[Attempt]:
        """Return all attempts; the table also has the items of transactions, which have no state."""
        return [Attempt.of(item) for item in self.table.items() if "state" in item]

    def wait_for_leases(self) -> None:
        """Wait until all leases have expired."""
        leases = [attempt.lease for attempt in self.read_attempts() if attempt.state is State.PENDING]
        time.sleep(max(0.0, max(leases, default=0.0) - time.time() + 0.1))


@contextmanager
def run_harness(directory: Path, behaviours: list[Behaviour], runtime_count: int) -> Iterator[Harness]:
    """Run all parts with these charge points until the end of the block. The parts write their files to `directory`."""
    identities = [behaviour.identity for behaviour in behaviours]
    records, starts_file = directory / "server.sqlite", directory / "starts.jsonl"
    with ExitStack() as stack:
        table = stack.enter_context(closing(start_table()))
        server = stack.enter_context(closing(Server(records, identities)))
        chargers, loop = stack.enter_context(
            in_thread(_run_chargers(behaviours, server.ocpp_url, starts_file))
        )
        links = [{"network": "127.0.0.0/8", "ports": [server.rest_port], "scheme": "http"}]
        variables = table.environment() | {
            "LINK_SERVERS": json.dumps(links),
            "LINK_TIMEOUT": str(LINK_TIMEOUT),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(FUNCTION_TIMEOUT),
        }
        runtimes = stack.enter_context(closing(Runtimes(variables, runtime_count)))
        gateway = stack.enter_context(closing(serve(template.read().routes, runtimes)))
        _wait_until_connected(server.rest_port, identities)
        yield Harness(gateway.port, table, runtimes, server, chargers, loop, starts_file, records)


@asynccontextmanager
async def _run_chargers(
    behaviours: list[Behaviour], url: str, starts_file: Path
) -> AsyncIterator[tuple[dict[str, ChargePoint], asyncio.AbstractEventLoop]]:
    async with charging(behaviours, url, starts_file) as chargers:
        yield chargers, asyncio.get_running_loop()


def _wait_until_connected(port: int, identities: list[str]) -> None:
    until = time.monotonic() + STARTUP_TIMEOUT
    waiting = set(identities)
    while waiting:
        if time.monotonic() > until:
            raise RuntimeError(f"these charge points did not connect: {sorted(waiting)}")
        waiting = {identity for identity in waiting if not is_connected(NATIVE, port, identity)}

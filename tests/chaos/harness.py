"""What the storm goes over: the gateway, runtimes of the built artefact, the table, the OCPP server, the charge points."""

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
FUNCTION_SECONDS = 8
"""Instead of the template's 29: a lease ends when its invocation is dead at the latest, and the storm waits for leases."""
LINK_SECONDS = 3
CALL_SECONDS = 4.0
PATIENCE = 20.0


ODD = (Reaction.REJECT, Reaction.DROP, Reaction.SILENT, Reaction.NOT_SUPPORTED, Reaction.FAIL)


def behaviours(count: int, odd: Sequence[Reaction], draw: random.Random) -> list[Behaviour]:
    """Charge points of both versions: one of each `odd` reaction, and the others take starts, at once or after a while."""
    return [
        Behaviour(
            f"CP-{number}",
            version=draw.choice(("1.6", "2.0.1")),
            reaction=odd[number] if number < len(odd) else Reaction.ACCEPT,
            delay=draw.choice((0.0, 0.0, 0.3, 1.0)),
            charge_seconds=0.1,
        )
        for number in range(count)
    ]


class Server:
    """The OCPP server, a process that is killed and comes back with its durable ids."""

    def __init__(self, database: Path, known: list[str]) -> None:
        self._ports = free_ports(2)
        self._arguments = [
            f"--database={database}",
            f"--known={','.join(known)}",
            f"--call-timeout={CALL_SECONDS}",
        ]
        self._lock = Lock()
        self._process = self._start()

    @property
    def rest_port(self) -> int:
        return self._ports[0]

    @property
    def ocpp_url(self) -> str:
        return f"ws://{HOST}:{self._ports[1]}/ocpp"

    def kill(self, away: float) -> None:
        """SIGKILL, and `away` seconds later it is there again."""
        with self._lock:
            self._process.kill()
            self._process.wait()
            time.sleep(away)
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
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(OSError), closing(HTTPConnection(HOST, rest, timeout=2)) as connection:
                connection.connect()
                return process
            time.sleep(0.02)
        raise RuntimeError("the OCPP server did not come up")


class Runtimes:
    """Several sandboxes of the connecting function, each for one invocation at a time; a killed one is replaced."""

    def __init__(self, variables: dict[str, str], count: int) -> None:
        self._variables = variables
        self._free: SimpleQueue[Emulator] = SimpleQueue()
        self._all: list[Emulator] = []
        self._lock = Lock()
        for _ in range(count):
            self._free.put(self._make())

    def __call__(self, _function: str, event: dict[str, Any]) -> Any:
        """What the gateway invokes; FunctionError where the sandbox dies, as Lambda's own failure reaches it."""
        sandbox = self._free.get()
        try:
            answer = sandbox.invoke(event)
        except OSError as error:  # ConnectionError and what a killed emulator leaves
            with self._lock:
                self._all.remove(sandbox)
            sandbox.close()
            sandbox = self._make()
            raise FunctionError("the sandbox died") from error
        finally:
            self._free.put(sandbox)
        if "statusCode" not in answer:
            raise FunctionError(json.dumps(answer))
        return answer

    def kill(self, draw: random.Random) -> None:
        """SIGKILL to one sandbox, emulator and runtime, whatever it is doing."""
        with self._lock:
            draw.choice(self._all).kill()

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
class Stage:
    """Everything, running. ``journal`` is the charge points' file, ``records`` the OCPP server's."""

    port: int
    table: TableServer
    runtimes: Runtimes
    server: Server
    chargers: dict[str, ChargePoint]
    loop: asyncio.AbstractEventLoop
    journal: Path
    records: Path

    def cut(self, identity: str) -> None:
        """Break a charge point's socket off, as a network does."""
        self.loop.call_soon_threadsafe(self.chargers[identity].disconnect)

    def starts(self) -> Iterator[dict[str, Any]]:
        """Every start that a charge point received."""
        if self.journal.exists():
            yield from map(json.loads, self.journal.read_text().splitlines())

    def record(self, id_: str) -> str:
        """How far the OCPP server's durable record of an id has come: "none", "not-sent", "sent" or "answered"."""
        with closing(sqlite3.connect(self.records, timeout=PATIENCE)) as database:
            found = database.execute("SELECT state FROM connection WHERE id = ?", (id_,)).fetchone()
        return str(found[0]) if found else "none"

    def outlive_leases(self) -> None:
        """Wait until no invocation can be believed alive any more."""
        leases = [
            attempt.lease for attempt in map(Attempt.of, self.table.items()) if attempt.state is State.PENDING
        ]
        time.sleep(max(0.0, max(leases, default=0.0) - time.time() + 0.1))


@contextmanager
def staging(directory: Path, given: list[Behaviour], count: int) -> Iterator[Stage]:
    """Everything with these charge points and `count` runtimes, until the end of the block; files go to `directory`."""
    identities = [behaviour.identity for behaviour in given]
    records, journal = directory / "server.sqlite", directory / "starts.jsonl"
    with ExitStack() as stack:
        table = stack.enter_context(closing(start_table()))
        server = stack.enter_context(closing(Server(records, identities)))
        chargers, loop = stack.enter_context(in_thread(_charging(given, server.ocpp_url, journal)))
        links = [{"network": "127.0.0.0/8", "ports": [server.rest_port], "scheme": "http"}]
        variables = table.environment() | {
            "LINK_SERVERS": json.dumps(links),
            "LINK_TIMEOUT": str(LINK_SECONDS),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(FUNCTION_SECONDS),
        }
        runtimes = stack.enter_context(closing(Runtimes(variables, count)))
        gateway = stack.enter_context(closing(serve(template.read().routes, runtimes)))
        _await_connected(server.rest_port, identities)
        yield Stage(gateway.port, table, runtimes, server, chargers, loop, journal, records)


@asynccontextmanager
async def _charging(
    given: list[Behaviour], url: str, journal: Path
) -> AsyncIterator[tuple[dict[str, ChargePoint], asyncio.AbstractEventLoop]]:
    async with charging(given, url, journal) as points:
        yield points, asyncio.get_running_loop()


def _await_connected(port: int, identities: list[str]) -> None:
    until = time.monotonic() + PATIENCE
    waiting = set(identities)
    while waiting:
        if time.monotonic() > until:
            raise RuntimeError(f"charge points that did not connect: {sorted(waiting)}")
        waiting = {identity for identity in waiting if not is_connected(NATIVE, port, identity)}

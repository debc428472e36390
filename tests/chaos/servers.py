"""The OCPP server of a storm: a process that can be killed, and its durable records."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection
from threading import Lock
from typing import TYPE_CHECKING

from local.dialects import NATIVE
from tests.chaos import simulators
from tests.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
DIALECTS = (NATIVE, "steve", "citrineos")
CALL_TIMEOUT = 4.0  # seconds that the OCPP server waits for a charge point
STARTUP_TIMEOUT = 20.0  # seconds


class Server:
    """The OCPP server of a dialect: the local native one, or a simulator."""

    def __init__(self, dialect: str, directory: Path, known: list[str]) -> None:
        """The server writes its records to `directory`. `known` are the charge points' identities."""
        self.dialect = dialect
        self._records = directory / "records"
        self._ports = free_ports(2)
        native = ["local.csms", f"--database={self._records}", f"--known={','.join(known)}"]
        simulator = ["tests.chaos.simulators", dialect, f"--records={self._records}"]
        self._arguments = [
            *(native if dialect == NATIVE else simulator),
            f"--rest-port={self._ports[0]}",
            f"--ocpp-port={self._ports[1]}",
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

    def can_answer_repeat(self, id_: str) -> bool:
        """Return whether a repeated start with this id may still get the charger's answer, however often it was sent before."""
        if self.dialect != NATIVE:
            return False
        with closing(sqlite3.connect(self._records, timeout=STARTUP_TIMEOUT)) as database:
            row = database.execute("SELECT state FROM connection WHERE id = ?", (id_,)).fetchone()
        return row is None or row[0] != "sent"

    def read_transactions(self) -> set[tuple[str, str]]:
        """Return the charger and the id of each transaction in the server's records."""
        if self.dialect != NATIVE:
            return simulators.read_transactions(self._records)
        with closing(sqlite3.connect(self._records, timeout=STARTUP_TIMEOUT)) as database:
            return set(database.execute("SELECT charger, id FROM charge"))

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", *self._arguments], stdout=subprocess.DEVNULL)
        until = time.monotonic() + STARTUP_TIMEOUT
        while time.monotonic() < until:
            with suppress(OSError), closing(HTTPConnection(HOST, self.rest_port, timeout=2)) as connection:
                connection.connect()
                return process
            time.sleep(0.02)
        raise RuntimeError("the OCPP server did not start")

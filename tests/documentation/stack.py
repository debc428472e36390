"""The local stack as a process of its own, on free ports, for whoever tries what the documentation says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from tempfile import TemporaryFile
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from apidoc.generate import ROOT
from apidoc.samples import PATH, SERVER, UNSERVED, written
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apidoc.samples import Sample

_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen; `unserved` is one at which nothing does."""

    gateway: int
    table: int
    rest: int
    ocpp: int
    unserved: int

    @classmethod
    def free(cls) -> Ports:
        return cls(*free_ports(5))

    def localized(self, text: str) -> str:
        """The text with the documented ports replaced by these."""
        documented = {"8000": self.gateway, str(SERVER[1]): self.rest, str(UNSERVED): self.unserved}
        return re.sub(r"\b(?:8000|9080|9089)\b", lambda found: str(documented[found[0]]), text)


class Stack:
    """A running stack, at the ports given."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._silent: list[Heard] = []
        self._waiting: list[Thread] = []

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        with closing(HTTPConnection("127.0.0.1", self.ports.gateway, timeout=_PATIENCE)) as connection:
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, path, data, dict(headers or {}))
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Heard(answer.status, fields, answer.read().decode())

    def until_available(self, charger: str) -> None:
        """Wait until a charge that an earlier test started has ended by itself."""
        until = time.monotonic() + _PATIENCE
        request = {"chargerId": charger, "serverIpAddress": SERVER[0], "serverRestApiPort": self.ports.rest}
        while True:
            body = json.dumps({"id": str(uuid4()), **request})
            heard = json.loads(self.send("POST", PATH, body, {"Content-Type": "application/json"}).text)
            if heard["status"] == "Available":
                return
            assert time.monotonic() < until, heard
            time.sleep(0.2)

    def ask_the_silent(self, sample: Sample) -> None:
        """Send the sample twice at once, in the background: one call waits as long as the link may."""

        def ask() -> None:
            body = self.ports.localized(written(sample.request, "application/json"))
            self._silent.append(self.send("POST", PATH, body, {"Content-Type": "application/json"}))

        self._waiting = [Thread(target=ask) for _ in range(2)]
        for thread in self._waiting:
            thread.start()

    def silent(self) -> list[Heard]:
        """What was heard of the silent charger in the end, the first answer first."""
        for thread in self._waiting:
            thread.join()
        return self._silent


@contextmanager
def running(*more: str, ports: Ports | None = None) -> Iterator[Stack]:
    """`python -m local`, with more options, until the end of the block; at any free ports unless they are given."""
    ports = ports or Ports.free()
    options = {
        "--port": ports.gateway,
        "--table-port": ports.table,
        "--rest-port": ports.rest,
        "--ocpp-port": ports.ocpp,
    }
    ported = (f"{name}={port}" for name, port in options.items())
    command = [sys.executable, "-u", "-m", "local", *ported, *more]
    with (
        TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout
        reader = Thread(target=_drain, args=(process.stdout,))
        try:
            if not any(line.startswith("ready:") for line in process.stdout):
                said.seek(0)
                raise AssertionError(f"the stack did not start: {said.read()}")
            reader.start()
            yield Stack(ports)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE)
            if reader.ident:
                reader.join()


def _drain(output: object) -> None:
    # A full pipe would stop the process.
    for _ in output:  # type: ignore[attr-defined]
        pass

"""Runs the local stack as a separate process on free ports, for the tests of the documentation."""

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
from apidoc.samples import PATH, SERVER, UNUSED_PORT, encode_request
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apidoc.samples import Sample

_TIMEOUT = 60  # seconds


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response, with header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports on which the parts of the stack listen. Nothing listens on `unused`."""

    gateway: int
    table: int
    rest: int
    ocpp: int
    unused: int

    @classmethod
    def free(cls) -> Ports:
        return cls(*free_ports(5))

    def localize(self, text: str) -> str:
        """Return the text with the documented ports replaced by these."""
        documented = {"8000": self.gateway, str(SERVER[1]): self.rest, str(UNUSED_PORT): self.unused}
        return re.sub(r"\b(?:8000|9080|9089)\b", lambda match: str(documented[match[0]]), text)


class Stack:
    """A running stack on these ports."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._silent_responses: list[HttpResponse] = []
        self._silent_calls: list[Thread] = []

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send one request to the gateway."""
        with closing(HTTPConnection("127.0.0.1", self.ports.gateway, timeout=_TIMEOUT)) as connection:
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return HttpResponse(response.status, fields, response.read().decode())

    def wait_until_available(self, charger: str) -> None:
        """Wait until a charge that an earlier test started has ended."""
        until = time.monotonic() + _TIMEOUT
        request = {"chargerId": charger, "serverIpAddress": SERVER[0], "serverRestApiPort": self.ports.rest}
        while True:
            body = json.dumps({"id": str(uuid4()), **request})
            response = json.loads(self.send("POST", PATH, body, {"Content-Type": "application/json"}).text)
            if response["status"] == "Available":
                return
            assert time.monotonic() < until, response
            time.sleep(0.2)

    def send_to_silent_charger(self, sample: Sample) -> None:
        """Send the sample twice at the same time, in the background. One call waits until the link's timeout."""

        def send() -> None:
            body = self.ports.localize(encode_request(sample.request, "application/json"))
            response = self.send("POST", PATH, body, {"Content-Type": "application/json"})
            self._silent_responses.append(response)

        self._silent_calls = [Thread(target=send) for _ in range(2)]
        for thread in self._silent_calls:
            thread.start()

    def silent_charger_responses(self) -> list[HttpResponse]:
        """Wait for both calls to the silent charger and return their responses in the order of arrival."""
        for thread in self._silent_calls:
            thread.join()
        return self._silent_responses


@contextmanager
def running(*more_options: str, ports: Ports | None = None) -> Iterator[Stack]:
    """Run `python -m local` with additional options until the end of the block, by default on free ports."""
    ports = ports or Ports.free()
    options = {
        "--port": ports.gateway,
        "--table-port": ports.table,
        "--rest-port": ports.rest,
        "--ocpp-port": ports.ocpp,
    }
    port_options = (f"{name}={port}" for name, port in options.items())
    command = [sys.executable, "-u", "-m", "local", *port_options, *more_options]
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout
        reader = Thread(target=_drain, args=(process.stdout,))
        try:
            if not any(line.startswith("ready:") for line in process.stdout):
                errors.seek(0)
                raise AssertionError(f"the stack did not start: {errors.read()}")
            reader.start()
            yield Stack(ports)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_TIMEOUT)
            if reader.ident:
                reader.join()


def _drain(output: object) -> None:
    # The process blocks if the pipe is full.
    for _ in output:  # type: ignore[attr-defined]
        pass

"""`make run` as a user sees it: it reports when it is ready, restarts its processes, and leaves none behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local import template
from tests.integration.gateway.raw import Answer, exchange
from tests.ports import free_ports
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = template.PATH.parent
PATH = "/api/v1/ocpp/charger-connect"
PORTS = ("PORT", "TABLE_PORT", "REST_PORT", "OCPP_PORT")
TIMEOUT = 60


class Run:
    """A running `python -m local`, with its own ports."""

    def __init__(
        self,
        ports: list[int],
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        environment = dict(zip(PORTS, map(str, ports), strict=True)) | dict(settings or {})
        self.rest_port = ports[2]
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "local", *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._unread: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def until(self, pattern: str) -> re.Match[str]:
        """Return the next line of the output that matches."""
        while (line := self._unread.get(timeout=TIMEOUT)) is not None:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line with {pattern}: {''.join(self.lines)}")

    def _read(self) -> None:
        # Read all the time: a full pipe would block the process.
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line)
                self._unread.put(line)
        self._unread.put(None)

    def ready(self) -> None:
        self.url = self.until(rf"^ready: (http://127\.0\.0\.1:\d+){PATH}$")[1]
        found = self.until(r"\(kill -9 (\d+)\) or the charge points \(kill -9 (\d+)\)")
        self.csms, self.chargers = int(found[1]), int(found[2])

    def connect(self, charger: str) -> Answer:
        body = (
            f'{{"id":"{uuid4()}","chargerId":"{charger}","tokenId":"T1",'
            f'"serverIpAddress":"127.0.0.1","serverRestApiPort":{self.rest_port}}}'
        ).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        return exchange(self.url, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def ends(self) -> int:
        """Return the exit code after the process has ended and all its output is in `lines`."""
        code = self.process.wait(TIMEOUT)
        self._reader.join()
        return code

    def stop(self) -> None:
        self.process.kill()
        self.ends()


@pytest.fixture
def ports() -> list[int]:
    return free_ports(4)


@pytest.fixture
def run(ports: list[int]) -> Iterator[Run]:
    run = Run(ports)
    yield run
    run.stop()


def is_gone(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    # A zombie has ended: its new parent has not read its exit code yet.
    return not state.strip() or state.startswith("Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_a_charge_and_leaves_no_process_behind(run: Run, number: signal.Signals) -> None:
    run.ready()
    answer = run.connect("CP-1")
    assert (answer.status, answer.headers["connect-outcome"]) == (200, "accepted")
    run.process.send_signal(number)
    assert run.ends() == 0
    assert is_gone(run.csms)
    assert is_gone(run.chargers)
    assert "Traceback" not in "".join(run.lines)


def test_it_ends_with_its_terminal(ports: list[int]) -> None:
    # Not its controlling terminal, so it receives no signal.
    ours, its = os.openpty()
    run = Run(ports, stdin=its)
    os.close(its)
    try:
        run.ready()
        os.close(ours)
        assert run.ends() == 0
        assert is_gone(run.csms)
        assert is_gone(run.chargers)
    finally:
        run.stop()


def test_its_processes_end_even_when_it_is_killed(run: Run) -> None:
    run.ready()
    run.process.kill()
    eventually(lambda: is_gone(run.csms) and is_gone(run.chargers), TIMEOUT)


def test_a_killed_ocpp_server_is_reported_and_restarts_with_its_chargers(run: Run) -> None:
    run.ready()
    os.kill(run.csms, signal.SIGKILL)
    run.until(r"the OCPP server: ended \(SIGKILL\)")
    assert run.connect("CP-1").status == 502
    run.until(r"the OCPP server: restarted")
    eventually(lambda: run.connect("CP-1").headers.get("connect-outcome") == "accepted", TIMEOUT)


def test_killed_charge_points_are_offline_and_restart(run: Run) -> None:
    run.ready()
    os.kill(run.chargers, signal.SIGKILL)
    run.until(r"the charge points: ended \(SIGKILL\)")
    eventually(lambda: run.connect("CP-1").headers.get("connect-outcome") == "offline", TIMEOUT)
    eventually(lambda: run.connect("CP-1").headers.get("connect-outcome") == "accepted", TIMEOUT)


@pytest.mark.parametrize("taken", range(4))
def test_a_port_in_use_gives_one_line_and_exit_code_1(ports: list[int], taken: int) -> None:
    with closing(socket.create_server(("127.0.0.1", ports[taken]))):
        run = Run(ports)
        assert run.ends() == 1
    (line,) = run.lines
    assert f"port {ports[taken]} of 127.0.0.1 cannot be used" in line
    assert line.rstrip().endswith(f"; set {PORTS[taken]} to another port")


def test_every_port_in_use_is_named_with_the_variable_that_changes_it(ports: list[int]) -> None:
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(closing(socket.create_server(("127.0.0.1", port))))
        run = Run(ports)
        assert run.ends() == 1
    output = "".join(run.lines)
    assert re.findall(r"port (\d+) .*; set (\w+) to", output) == [
        (str(port), name) for name, port in zip(PORTS, ports, strict=True)
    ]


def test_two_parts_cannot_have_the_same_port(ports: list[int]) -> None:
    run = Run([ports[0], ports[1], ports[0], ports[3]])
    assert run.ends() == 1
    (line,) = run.lines
    assert f"port {ports[0]} of 127.0.0.1 cannot be used" in line
    assert "REST_PORT" in line


@pytest.mark.parametrize(
    ("name", "value", "output"),
    [
        ("PORT", "many", "'many' is not a port"),
        ("TABLE_PORT", "0", "'0' is not a port"),
        ("REST_PORT", "-1", "'-1' is not a port"),
        ("OCPP_PORT", "65536", "'65536' is not a port"),
        ("CHARGERS", "some", "'some' is not all"),
        ("DIALECT", "martian", "'martian' is none of native, steve"),
        ("LINK_TIMEOUT", "soon", "invalid float value: 'soon'"),
        ("LINK_TIMEOUT", "1000", "LINK_TIMEOUT: Input should be less than or equal to 25"),
        ("LINK_SERVERS", "everybody", "LinkServers cannot be used"),
        (
            "LINK_SERVERS",
            '[{"network": "10.0.0.0/8"}]',
            "LinkServers cannot be used: 0.ports: Field required",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_a_traceback(
    ports: list[int], name: str, value: str, output: str
) -> None:
    run = Run(ports, settings={name: value})
    assert run.ends() in {1, 2}
    assert output in run.lines[-1]
    assert "Traceback" not in "".join(run.lines)


def test_all_charge_points_are_there_on_request(ports: list[int]) -> None:
    run = Run(ports, "--chargers=all")
    try:
        run.ready()
        assert run.connect("CP-7").headers["connect-outcome"] == "accepted"
        assert run.connect("CP-10").headers["connect-outcome"] == "rejected"
    finally:
        run.stop()

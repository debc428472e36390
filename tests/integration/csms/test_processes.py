"""Server and charge points as processes: they are killed and restarted, and end at a signal."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.ocppj import now
from tests.integration.csms.client import Rest, Scripted
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


@contextmanager
def process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m module`, and kill it at the end if it still runs."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        try:
            yield running
        finally:
            running.kill()


class Stack:
    """A server that can be killed and restarted on the same ports, and charge points that record starts in a file."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._journal = folder / "starts.jsonl"
        self._folder = folder
        self._stack = stack
        self._ports = ("0", "0")

    def serve(self, *options: str) -> subprocess.Popen[str]:
        rest, ocpp = self._ports
        server = self._stack.enter_context(
            process(
                "local.csms",
                *("--rest-port", rest, "--ocpp-port", ocpp, "--database", str(self._folder / "csms.db")),
                *options,
            )
        )
        assert server.stdout
        line = server.stdout.readline()
        ready = re.fullmatch(r"OCPP server ready: REST (http://\S+:(\d+)) OCPP (ws://\S+:(\d+)/ocpp)\n", line)
        assert ready, line
        self.rest = Rest(ready[1])
        self.ocpp_url = ready[3]
        self._ports = ready[2], ready[4]
        return server

    def plug(self, identity: str, charge_seconds: str = "0.2") -> subprocess.Popen[str]:
        chargers = self._stack.enter_context(
            process(
                "local.chargers",
                *("--server", self.ocpp_url, "--only", identity, "--journal", str(self._journal)),
                *("--charge-seconds", charge_seconds),
            )
        )
        self.until_connected(identity)
        return chargers

    def until_connected(self, identity: str) -> None:
        eventually(lambda: self.rest.status(identity).outcome == (200, "Available"))

    def starts(self) -> list[dict[str, object]]:
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with ExitStack() as exits:
        yield Stack(tmp_path, exits)


def test_a_server_killed_between_call_and_answer_never_calls_again(stack: Stack) -> None:
    server = stack.serve()
    stack.plug("CP-5")
    key = str(uuid4())
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(stack.rest.connect, "CP-5", "ONCE", key)
        eventually(stack.starts)
        server.send_signal(signal.SIGKILL)
        assert isinstance(caller.exception(), ConnectionError)
    server.wait()
    stack.serve()
    stack.until_connected("CP-5")
    assert stack.rest.connect("CP-5", "ONCE", key, wait=1).outcome == (504, "no-answer")
    assert stack.rest.connect("CP-5", "OTHER", key, wait=1).outcome == (409, "id-reused")
    assert [start["token"] for start in stack.starts()] == ["ONCE"]


def test_a_restarted_server_returns_the_stored_answer(stack: Stack) -> None:
    server = stack.serve()
    stack.plug("CP-2")
    key = str(uuid4())
    assert stack.rest.connect("CP-2", key=key).outcome == (200, "Accepted")
    server.send_signal(signal.SIGKILL)
    server.wait()
    stack.serve()
    assert stack.rest.connect("CP-2", key=key).outcome == (200, "Accepted")
    stack.until_connected("CP-2")
    assert len(stack.starts()) == 1


@pytest.mark.parametrize("identity", ["CP-1", "CP-2"])
def test_a_restarted_server_finds_and_stops_a_charge_that_began_before(stack: Stack, identity: str) -> None:
    server = stack.serve()
    stack.plug(identity, charge_seconds="60")
    key = str(uuid4())
    stack.rest.connect(identity, key=key)
    before = eventually(lambda: stack.rest.find(identity, key).body["transactions"])
    server.send_signal(signal.SIGKILL)
    server.wait()
    stack.serve()
    assert stack.rest.find(identity, key).body["transactions"] == before
    eventually(lambda: stack.rest.stop(identity, key).body["stop"]["status"] == "Accepted")
    eventually(lambda: stack.rest.find(identity, key).body["state"] == "stopped")


def test_a_restarted_server_still_stops_what_was_stopped(stack: Stack) -> None:
    server = stack.serve()
    unknown, key = str(uuid4()), str(uuid4())
    stack.rest.stop("CP", unknown)
    with Scripted(stack.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
        caller = pool.submit(stack.rest.connect, "CP", key=key)
        charger.answer(next(charger.calls())[0], {"status": "Accepted"})
        caller.result()
        assert stack.rest.stop("CP", key).body["stop"]["info"] == "stop-recorded"
        begin = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now()}
        id_ = charger.call("StartTransaction", begin)[2]["transactionId"]
        server.send_signal(signal.SIGKILL)
        server.wait()
    stack.serve()
    assert stack.rest.connect("CP", key=unknown).outcome == (409, "id-stopped")
    with Scripted(stack.ocpp_url, "CP") as charger:
        assert next(charger.calls())[1:] == ("RemoteStopTransaction", {"transactionId": id_})


def test_a_start_that_was_not_sent_may_be_sent_after_a_restart(stack: Stack) -> None:
    server = stack.serve("--known", "CP-1")
    key = str(uuid4())
    assert stack.rest.connect("CP-1", key=key).outcome == (200, "Unavailable")
    server.send_signal(signal.SIGKILL)
    server.wait()
    stack.serve("--known", "CP-1")
    stack.plug("CP-1")
    assert stack.rest.connect("CP-1", key=key).outcome == (200, "Accepted")
    assert len(stack.starts()) == 1


def test_a_restarted_server_still_knows_its_chargers(stack: Stack) -> None:
    server = stack.serve()
    with_charger = stack.plug("CP-1")
    with_charger.terminate()
    with_charger.wait()
    server.terminate()
    server.wait()
    stack.serve()
    assert stack.rest.connect("CP-1").outcome == (200, "Unavailable")


def test_a_charger_that_stops_responding_with_its_socket_open_is_not_connected(stack: Stack) -> None:
    stack.serve("--ping-window", "1")
    charger = stack.plug("CP-1")
    charger.send_signal(signal.SIGSTOP)
    eventually(lambda: stack.rest.connect("CP-1", wait=1).outcome == (200, "Unavailable"))
    charger.send_signal(signal.SIGCONT)
    eventually(lambda: stack.rest.connect("CP-1", wait=1).outcome == (200, "Accepted"))


def test_each_start_is_written_to_the_journal_before_it_is_answered(stack: Stack) -> None:
    stack.serve()
    stack.plug("CP-2")
    stack.rest.connect("CP-2", "DRIVER", "00000000-0000-0000-0000-000000000000", connector=1)
    (start,) = stack.starts()
    assert start.pop("time")
    assert start == {"charger": "CP-2", "token": "DRIVER", "connector": 1, "remoteStartId": 0x12B9377C}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both_cleanly(stack: Stack, number: signal.Signals) -> None:
    server = stack.serve()
    chargers = stack.plug("CP-5")
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(stack.rest.connect, "CP-5")
        eventually(stack.starts)
        server.send_signal(number)
        assert server.communicate(timeout=20) == ("", "")
        assert isinstance(caller.exception(), ConnectionError)
    chargers.send_signal(number)
    assert chargers.communicate(timeout=20) == ("charge points ready: CP-5\n", "")
    assert (server.returncode, chargers.returncode) == (0, 0)


@pytest.mark.parametrize("option", ["--rest-port", "--ocpp-port"])
def test_a_port_in_use_is_named(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        other = "--ocpp-port" if option == "--rest-port" else "--rest-port"
        with process("local.csms", option, port, other, "0") as server:
            out, error = server.communicate(timeout=20)
    assert (server.returncode, out) == (1, "")
    assert re.fullmatch(rf"local\.csms: port {port}, .*\n", error)


def test_a_database_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    with process(
        "local.csms", "--database", str(tmp_path / "no" / "such"), "--rest-port", "0", "--ocpp-port", "0"
    ) as server:
        _, error = server.communicate(timeout=20)
    assert server.returncode == 1
    assert re.fullmatch(r"local\.csms: .*\n", error)


def test_an_unknown_charge_point_is_reported() -> None:
    with process("local.chargers", "--only", "CP-77") as chargers:
        _, error = chargers.communicate(timeout=20)
    assert (chargers.returncode, error) == (1, "local.chargers: unknown charge point: CP-77\n")

"""`make invoke` beside `make run SAM_LOCAL=1`, with Docker: the built functions in Lambda's container start charges.

Skipped if Docker does not respond or has no Lambda image; with REQUIRE_DOCKER=1 they fail.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import bridge, template
from tests.end_to_end import emulator
from tests.integration.gateway.test_run import Run
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = template.PATH.parent
IMAGE = f"public.ecr.aws/lambda/python:3.13-{emulator.ARCHITECTURE}"


def missing() -> str | None:
    """Return why `sam local invoke` cannot run here, or None if it can."""
    if reason := emulator.missing():
        return reason
    try:
        bridge.find_address()
    except bridge.NoBridge as error:
        return str(error)
    found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True)
    return f"Docker has no image {IMAGE}: docker pull it" if found.returncode else None


class LocalStack:
    """A running `make run SAM_LOCAL=1`, and `make invoke` beside it."""

    def __init__(self, run: Run, ports: list[int], state: Path) -> None:
        self.run = run
        self.ports = ports
        self.state = state
        self.address = bridge.find_address()

    def make(self, event: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(
            ["make", "invoke", f"EVENT={event}", "SAM_ARGS=--skip-pull-image"],
            cwd=ROOT,
            env=environment | {"SAM_LOCAL_STATE": str(self.state)} | settings,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def invoke(self, name: str) -> tuple[int, dict[str, str], str]:
        """Status code, headers and body that the function returned, from the last line of the output."""
        ended = self.make(f"events/{name}.json")
        assert ended.returncode == 0, ended.stderr
        response: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return response["statusCode"], response["headers"], response["body"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    reason = missing()
    if reason and os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    # Concurrent builds would write to the same folder, so tests build one at a time.
    emulator.build()
    state = tmp_path_factory.mktemp("sam-local") / "state.json"
    ports = free_ports(4)
    run = Run(ports, settings={"SAM_LOCAL": "1", "SAM_LOCAL_STATE": str(state)})
    try:
        run.ready()
        run.until(r"^  make invoke EVENT=events/json/accepted\.json$")
        yield LocalStack(run, ports, state)
        run.process.send_signal(signal.SIGINT)
        assert run.ends() == 0
        assert not state.exists()
    finally:
        run.stop()


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_only_table_and_ocpp_server_can_be_reached_from_containers(stack: LocalStack) -> None:
    assert [listens(stack.address, port) for port in stack.ports] == [False, True, True, True]
    # An address that is not configured. A wildcard would listen there.
    assert [listens("127.0.0.3", port) for port in stack.ports] == [False] * 4


def test_a_charge_starts_once_and_its_attempt_can_be_read(stack: LocalStack) -> None:
    status, headers, body = stack.invoke("json/accepted")
    assert (status, headers["Connect-Outcome"], json.loads(body)["status"]) == (200, "accepted", "Accepted")
    assert "Idempotent-Replayed" not in headers

    status, headers, replayed = stack.invoke("json/accepted")
    assert (status, headers["Idempotent-Replayed"], replayed) == (200, "true", body)

    status, _, attempt = stack.invoke("attempts/one")
    read = json.loads(attempt)
    assert (status, read["state"], read["outcome"], read["tries"]) == (200, "completed", "accepted", 1)
    assert read["server"] == f"{stack.address}:{stack.ports[2]}"


def test_an_encoded_body_reaches_the_ocpp_server_too(stack: LocalStack) -> None:
    status, headers, body = stack.invoke("form/rejected")
    assert (status, headers["Connect-Outcome"], json.loads(body)["status"]) == (200, "rejected", "Rejected")


def test_an_error_that_the_function_returns_is_its_response(stack: LocalStack) -> None:
    assert stack.invoke("callbacks/expired")[0] == 404


def test_a_missing_stack_is_reported(stack: LocalStack, tmp_path: Path) -> None:
    ended = stack.make("events/json/accepted.json", SAM_LOCAL_STATE=str(tmp_path / "none.json"))
    assert ended.returncode != 0
    assert "start one in another terminal: make run SAM_LOCAL=1" in ended.stderr


def test_a_function_that_does_not_start_is_an_error(stack: LocalStack, tmp_path: Path) -> None:
    running = json.loads(stack.state.read_text())
    state = tmp_path / "state.json"
    state.write_text(json.dumps(running | {"environment": running["environment"] | {"LINK_SERVERS": "none"}}))
    ended = stack.make("events/json/accepted.json", SAM_LOCAL_STATE=str(state))
    assert ended.returncode != 0
    assert "errorType" in ended.stdout.splitlines()[-1]

"""`make run DIALECT=...`: the same stack, with the simulator of another kind of OCPP server."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local.chargers import Behaviour
from local.simulators import OcppCs
from tests.integration.calling import LOOPBACK
from tests.integration.dialects.link_client import running_simulator
from tests.integration.gateway.test_run import ROOT, Run
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.raw import Answer


@pytest.fixture
def ports() -> list[int]:
    return free_ports(4)


@pytest.fixture
def run(ports: list[int], dialect: str) -> Iterator[Run]:
    run = Run(ports, f"--dialect={dialect}")
    yield run
    run.stop()


def status_of(answer: Answer) -> tuple[int, str | None]:
    return answer.status, json.loads(answer.body).get("status") if answer.status == 200 else None


@pytest.mark.parametrize(
    ("dialect", "offline"),
    [
        ("steve", (200, "Unavailable")),
        ("citrineos", (200, "Unavailable")),
        ("ocpp_core", (200, "Unavailable")),
        ("ocpp_cs", (404, None)),
    ],
)
def test_charge_points_can_be_started_through_the_simulator(
    run: Run, offline: tuple[int, str | None]
) -> None:
    run.ready()
    assert status_of(run.connect("CP-1")) == (200, "Accepted")
    assert status_of(run.connect("CP-2")) == (200, "Accepted")
    assert status_of(run.connect("CP-3")) == offline
    assert status_of(run.connect("CP-4")) == (200, "Rejected")


def test_a_server_that_runs_elsewhere_can_be_called(
    ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        running_simulator(OcppCs(version=2), Behaviour("CP-of-mine")) as (simulator, points),
        ExitStack() as stack,
    ):
        entry = {**LOOPBACK, "ports": [simulator.port], "dialect": "ocpp-cs"}
        monkeypatch.setenv("LINK_SERVERS", json.dumps([entry]))
        run = Run(ports)
        stack.callback(run.stop)
        run.ready()
        run.rest_port = simulator.port
        assert status_of(run.connect("CP-of-mine")) == (200, "Accepted")
        assert len(points["CP-of-mine"].starts) == 1


def test_an_unknown_dialect_is_reported() -> None:
    command = [sys.executable, "-m", "local", "--dialect=martian"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "'martian' is none of native, steve" in ended.stderr

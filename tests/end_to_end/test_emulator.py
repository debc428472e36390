"""The harness itself: what it gives back where a function returns, raises, runs out of time or dies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.end_to_end.emulator import Emulator

pytestmark = [pytest.mark.artefact, pytest.mark.usefixtures("artefact")]

HANDLER = """
import os, time

def handler(event, context):
    if event["do"] == "raise":
        raise ValueError("on purpose")
    if event["do"] == "sleep":
        time.sleep(20)
    if event["do"] == "die":
        os._exit(1)
    return {"event": event, "extra": os.environ["EXTRA"], "timeout": os.environ["LINK_TIMEOUT"]}
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """An artefact whose connect function does what it is told."""
    package = tmp_path / "ConnectFunction" / "charger_connect"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "app.py").write_text(HANDLER)
    return tmp_path


def test_a_function_gets_the_variables_of_the_template_and_the_test(function: Path) -> None:
    with Emulator(
        "ConnectFunction", {"EXTRA": "1"}, parameters={"LinkTimeout": "7"}, artefact=function
    ) as emulator:
        assert emulator.invoke({"do": "answer"}) == {
            "event": {"do": "answer"},
            "extra": "1",
            "timeout": "7",
        }


def test_an_exception_and_a_time_out_come_back_as_errors_and_the_next_call_is_served(function: Path) -> None:
    variables = {"EXTRA": "1", "AWS_LAMBDA_FUNCTION_TIMEOUT": "1"}
    with Emulator("ConnectFunction", variables, artefact=function) as emulator:
        assert emulator.invoke({"do": "raise"})["errorType"] == "ValueError"
        assert emulator.invoke({"do": "sleep"})["errorType"] == "Sandbox.Timedout"
        assert emulator.invoke({"do": "answer"})["extra"] == "1"


def test_a_function_that_dies_is_an_error(function: Path) -> None:
    with Emulator("ConnectFunction", {"EXTRA": "1"}, artefact=function) as emulator:
        assert emulator.invoke({"do": "die"})["errorType"] == "Runtime.ExitError"


def test_nothing_is_left_running(function: Path) -> None:
    with Emulator("ConnectFunction", {"EXTRA": "1"}, artefact=function) as emulator:
        emulator.invoke({"do": "answer"})
        processes = [emulator.pid, *emulator.runtimes()]
        assert len(processes) == 2
    until = time.monotonic() + 10
    while any(map(is_alive, processes)):
        assert time.monotonic() < until
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status

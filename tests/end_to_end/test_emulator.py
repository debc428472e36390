"""The harness itself: its result if a function returns, raises, times out or terminates."""

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
    if event["do"] == "exit":
        os._exit(1)
    return {"event": event, "extra": os.environ["EXTRA"], "timeout": os.environ["LINK_TIMEOUT"]}
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """An artefact whose connect function does what the event requests."""
    package = tmp_path / "ConnectFunction" / "charger_connect"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "app.py").write_text(HANDLER)
    return tmp_path


def test_a_function_receives_the_variables_of_the_template_and_of_the_test(function: Path) -> None:
    with Emulator(
        "ConnectFunction", {"EXTRA": "1"}, parameters={"LinkTimeout": "7"}, artefact=function
    ) as emulator:
        assert emulator.invoke({"do": "return"}) == {
            "event": {"do": "return"},
            "extra": "1",
            "timeout": "7",
        }


def test_an_exception_and_a_timeout_are_returned_as_errors_and_the_next_call_succeeds(function: Path) -> None:
    variables = {"EXTRA": "1", "AWS_LAMBDA_FUNCTION_TIMEOUT": "1"}
    with Emulator("ConnectFunction", variables, artefact=function) as emulator:
        assert emulator.invoke({"do": "raise"})["errorType"] == "ValueError"
        assert emulator.invoke({"do": "sleep"})["errorType"] == "Sandbox.Timedout"
        assert emulator.invoke({"do": "return"})["extra"] == "1"


def test_a_function_that_exits_returns_an_error(function: Path) -> None:
    with Emulator("ConnectFunction", {"EXTRA": "1"}, artefact=function) as emulator:
        assert emulator.invoke({"do": "exit"})["errorType"] == "Runtime.ExitError"


def test_no_process_is_left_running(function: Path) -> None:
    with Emulator("ConnectFunction", {"EXTRA": "1"}, artefact=function) as emulator:
        emulator.invoke({"do": "return"})
        processes = [emulator.pid, *emulator.runtimes()]
        assert len(processes) == 2
    until = time.monotonic() + 10
    while any(map(is_alive, processes)):
        assert time.monotonic() < until
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status

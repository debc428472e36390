"""Run a program's function in a process of its own, and send it events over a pipe to `driver.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.programs import FUNCTION, layers
from local.template import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.programs import Program


@dataclass(frozen=True, slots=True)
class Batch:
    """What the driver reports of a batch of events: CPU seconds, the status codes, and the last response."""

    cpu: float
    statuses: list[int]
    last: dict[str, Any]


def environment(program: Program, variables: Mapping[str, str], logical_id: str = FUNCTION) -> dict[str, str]:
    """Return a function's environment: Lambda's own variables, the template's, and `variables`."""
    function = read().functions[logical_id]
    root = program.artefact / logical_id
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(map(str, layers(program.artefact, logical_id))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(root),
        "AWS_LAMBDA_FUNCTION_NAME": logical_id,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_DEFAULT_REGION": "eu-west-1",
        # not sampled: X-Ray samples one request a second and 5 % of the others
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        **function.environment,
        **variables,
    }


class FunctionProcess:
    """A function that stays warm. Its methods raise RuntimeError if the program fails."""

    def __init__(self, program: Program, variables: Mapping[str, str], logical_id: str = FUNCTION) -> None:
        self.program = program
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - close() closes it
        driver = str(Path(__file__).with_name("driver.py"))
        self._process = subprocess.Popen(
            [str(Path(sys.executable).resolve()), "-S", driver, read().functions[logical_id].handler],
            cwd=program.artefact / logical_id,
            env=environment(program, variables, logical_id),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Start a batch; `receive` waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"events": events}) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Batch:
        """Wait for the batch that was sent, and return the driver's report."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self.program.name} ended: {self._errors.read()}")
        return Batch(**json.loads(line))

    def invoke(self, events: Sequence[Mapping[str, Any]], expected: int = 200) -> Batch:
        """Send a batch and wait for it. Every response must have the status code `expected`."""
        self.send(events)
        batch = self.receive()
        if set(batch.statuses) != {expected}:
            raise RuntimeError(
                f"{self.program.name} returned {set(batch.statuses)}, not {expected}: {batch.last}"
            )
        return batch

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

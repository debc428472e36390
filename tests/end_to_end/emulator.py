"""Runs the built artefact in the real Lambda runtime: Amazon's runtime interface client and emulator, without Docker.

    with Emulator("ConnectFunction", {"TABLE_NAME": "attempts", ...}) as function:
        result = function.invoke(event)

An emulator terminates if it receives a second request while it serves one. Use one Emulator for each concurrent invocation.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.template import Function, read
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")
BUILD = ROOT / ".aws-sam" / ("build" if ARCHITECTURE == "arm64" else "x86_64/build")
INVOCATIONS = "/2015-03-31/functions/function/invocations"


def missing() -> str | None:
    """Return the reason why the artefact cannot run here, or None if it can."""
    if sys.platform != "linux" or not ARCHITECTURE:
        return f"Lambda's emulator does not support {sys.platform}, {platform.machine()}"
    if sys.version_info[:2] != (3, 13):
        return f"the artefact needs Python 3.13, but the tests run on {platform.python_version()}"
    if not _programs():
        return "SAM CLI, which contains the emulator, is not installed in .venv-sam"
    return None


@cache
def build() -> Path:
    """Build the artefact for this machine if its sources are newer, and return its directory."""
    lock = ROOT / ".aws-sam" / "lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        subprocess.run(
            ["make", "build", f"ARCH={ARCHITECTURE}"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
    return BUILD


class Emulator:
    """One Lambda sandbox, for one invocation at a time. The runtime starts with the first invocation.

    `function` is a logical id of the template. The environment has the function's variables of the template, with
    `parameters` instead of the template's defaults, and then `variables`. Raises RuntimeError if the emulator does not start.
    """

    def __init__(
        self,
        function: str,
        variables: Mapping[str, str] | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        artefact: Path | None = None,
    ) -> None:
        self._directory = artefact or build()
        self.function: Function = read(parameters=parameters).functions[function]
        self._output = tempfile.NamedTemporaryFile("w+", prefix=f"{function}-", suffix=".log")  # noqa: SIM115
        self._address, runtime = (f"127.0.0.1:{port}" for port in free_ports(2))
        self._process = subprocess.Popen(
            [
                _programs()[0],
                "--runtime-interface-emulator-address",
                self._address,
                "--runtime-api-address",
                runtime,
                # -S: without site-packages, which would hide a package that is missing in a layer.
                str(Path(sys.executable).resolve()),
                "-S",
                "-m",
                "awslambdaric",
                self.function.handler,
            ],
            cwd=self._directory / function,
            env=self._environment(function) | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_until_listening()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The URL of the emulator, `http://127.0.0.1:port`."""
        return f"http://{self._address}"

    @property
    def pid(self) -> int:
        """The process id of the emulator."""
        return self._process.pid

    def runtimes(self) -> list[int]:
        """Return the process ids of the runtime; there are none before the first invocation."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(child) for file in children for child in file.read_text().split()]

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Call the handler and return its result.

        If the handler raised or timed out, the result is Lambda's `{"errorType": ..., "errorMessage": ...}`.
        Raises ConnectionError if the sandbox terminated.
        """
        connection = HTTPConnection(self._address, timeout=self.function.timeout + 10)
        try:
            connection.request("POST", INVOCATIONS, json.dumps(event))
            body = connection.getresponse().read()
        except HTTPException as error:
            raise ConnectionError(f"the sandbox terminated: {error!r}\n{self.output()}") from error
        finally:
            connection.close()
        try:
            return json.loads(body)
        except ValueError:
            # This emulator reports a timeout as plain text: "Task timed out after 29.00 seconds".
            return {"errorType": "Sandbox.Timedout", "errorMessage": body.decode()}

    def output(self) -> str:
        """Return everything that the function and the emulator have printed."""
        return Path(self._output.name).read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Terminate the sandbox at once and release its resources."""
        try:
            self.kill()
        finally:
            self._process.wait()
            self._output.close()

    def kill(self) -> None:
        """Send SIGKILL to the emulator and its runtime. The caller must still call `close`."""
        # A process that another caller killed meanwhile is no longer in /proc.
        with suppress(ProcessLookupError, FileNotFoundError):
            if self._process.poll() is None:
                # Stop the emulator first, so that it does not start a new runtime while the old one, which has its own
                # process group, is killed.
                os.kill(self.pid, signal.SIGSTOP)
                for process in (*self.runtimes(), self.pid):
                    os.kill(process, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _environment(self, function: str) -> dict[str, str]:
        directory = self._directory / function
        layers = sorted(self._directory.glob("*Layer/python"))
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, (directory, *layers, _runtime()))),
            # The artefact is read-only in Lambda.
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(directory),
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.function.timeout),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
        } | dict(self.function.environment)

    def _wait_until_listening(self) -> None:
        host, port = self._address.split(":")
        while self._process.poll() is None:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"the emulator did not start:\n{self.output()}")


def _programs() -> list[str]:
    """Return the paths of the emulator; SAM CLI contains one."""
    name = f"samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
    return [str(path) for path in ROOT.glob(f".venv-sam/lib/python3.*/site-packages/{name}")]


@cache
def _runtime() -> Path:
    """Return a directory with only the runtime interface client, which Lambda provides beside the layers."""
    directory = ROOT / ".aws-sam" / "runtime"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or () if ".." not in file.parts}:
            link = directory / top
            target = Path(str(package.locate_file(top)))
            if not link.is_symlink() or link.resolve() != target.resolve():
                link.unlink(missing_ok=True)
                link.symlink_to(target)
    return directory

"""Processes of the local stack: started here, restarted when they end by themselves, and never left behind."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESTART_SECONDS = 5.0
"""Delay before a restart: long enough to see how the service behaves without the process."""
GRACE_SECONDS = 3.0


class Process:
    """`python -m MODULE arguments`, in its own session (so that Ctrl-C reaches only its parent), watched by a thread.

    `on_notice` receives a text when the process ends or restarts. With `on_snapshot`, the module takes ``--control=FILE`` (see
    `local.control`): `on_snapshot` receives each snapshot, and None when the process has ended.
    """

    def __init__(
        self,
        title: str,
        module: str,
        arguments: Sequence[str],
        on_notice: Callable[[str], None],
        on_snapshot: Callable[[Any], None] | None = None,
    ) -> None:
        self.title = title
        self._command = [sys.executable, "-m", "local.process", module, *arguments]
        self._on_notice = on_notice
        self._on_snapshot = on_snapshot
        self._control: socket.socket | None = None
        self._stopping = threading.Event()
        self._process = self._start()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, command: Any) -> None:
        """Send a command to a module that takes ``--control``. Raises OSError if the process has ended."""
        if self._control is None:
            raise BrokenPipeError
        self._control.sendall(json.dumps(command).encode() + b"\n")

    def kill(self) -> None:
        """Send SIGKILL. The process restarts after `RESTART_SECONDS`."""
        self._process.kill()

    def stop(self) -> None:
        """End the process for good: SIGTERM, then SIGKILL if it still runs after `GRACE_SECONDS`."""
        self._stopping.set()
        self._end()
        self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._on_snapshot is None:
            return self._spawn(self._command)
        self._control, remote_end = socket.socketpair()
        with remote_end:
            file = remote_end.fileno()
            process = self._spawn([*self._command, f"--control={file}"], file)
        arguments = (self._control, self._on_snapshot)
        threading.Thread(target=self._read_snapshots, args=arguments, daemon=True).start()
        return process

    def _spawn(self, command: Sequence[str], *files: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=PIPE, stdout=DEVNULL, start_new_session=True, pass_fds=files)

    def _read_snapshots(self, control: socket.socket, on_snapshot: Callable[[Any], None]) -> None:
        # ValueError: the last line of a killed process may be incomplete.
        with control, control.makefile("rb") as lines, contextlib.suppress(OSError, ValueError):
            for line in lines:
                on_snapshot(json.loads(line))
        on_snapshot(None)

    def _watch(self) -> None:
        while True:
            code = self._process.wait()
            if self._stopping.is_set():
                return
            with self._process:
                pass  # closes the pipe
            why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._on_notice(f"{self.title}: ended ({why}), restart in {RESTART_SECONDS:g} s")
            if self._stopping.wait(RESTART_SECONDS):
                return
            self._process = self._start()
            self._on_notice(f"{self.title}: restarted, process {self.pid}")
            if self._stopping.is_set():
                self._end()

    def _end(self) -> None:
        with self._process as process:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

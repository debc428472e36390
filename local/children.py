"""Processes of the local stack: started by their handles, started again when somebody kills them, and never left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESTART_SECONDS = 5.0
"""How long a process stays away that ended by itself: long enough to see what the service does without it."""
GRACE_SECONDS = 3.0


class Child:
    """`python -m MODULE arguments` in a session of its own (Ctrl-C reaches only its parent), watched by a thread."""

    def __init__(self, title: str, module: str, arguments: Sequence[str], say: Callable[[str], None]) -> None:
        self.title = title
        self._command = [sys.executable, "-m", "local.child", module, *arguments]
        self._say = say
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

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL where that is not heard within `GRACE_SECONDS`."""
        self._stopping.set()
        self._end()
        self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=PIPE, stdout=DEVNULL, start_new_session=True)

    def _watch(self) -> None:
        while True:
            code = self._process.wait()
            if self._stopping.is_set():
                return
            with self._process:
                pass  # closes the pipe
            why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._say(f"{self.title}: ended ({why}), back in {RESTART_SECONDS:g} s")
            if self._stopping.wait(RESTART_SECONDS):
                return
            self._process = self._start()
            self._say(f"{self.title}: back, process {self.pid}")
            if self._stopping.is_set():
                self._end()

    def _end(self) -> None:
        with self._process as process:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

"""Processes of the local stack: started by their handles, started again when somebody kills them, and never left behind."""

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
"""How long a process stays away that ended by itself: long enough to see what the service does without it."""
GRACE_SECONDS = 3.0


class Child:
    """`python -m MODULE arguments` in a session of its own (Ctrl-C reaches only its parent), watched by a thread.

    `say` hears of its ends and returns. With `hear`, the module takes ``--control=FILE`` as `local.control` has it: `hear`
    gets every snapshot, and None when the process is gone.
    """

    def __init__(
        self,
        title: str,
        module: str,
        arguments: Sequence[str],
        say: Callable[[str], None],
        hear: Callable[[Any], None] | None = None,
    ) -> None:
        self.title = title
        self._command = [sys.executable, "-m", "local.process", module, *arguments]
        self._say = say
        self._hear = hear
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

    def tell(self, order: Any) -> None:
        """Sends an order to a module that is controlled. OSError where the process is gone."""
        if self._control is None:
            raise BrokenPipeError
        self._control.sendall(json.dumps(order).encode() + b"\n")

    def kill(self) -> None:
        """SIGKILL: it ends without a word, and comes back."""
        self._process.kill()

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL where that is not heard within `GRACE_SECONDS`."""
        self._stopping.set()
        self._end()
        self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._hear is None:
            return self._spawn(self._command)
        self._control, its_end = socket.socketpair()
        with its_end:
            file = its_end.fileno()
            process = self._spawn([*self._command, f"--control={file}"], file)
        threading.Thread(target=self._listen, args=(self._control, self._hear), daemon=True).start()
        return process

    def _spawn(self, command: Sequence[str], *files: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=PIPE, stdout=DEVNULL, start_new_session=True, pass_fds=files)

    def _listen(self, control: socket.socket, hear: Callable[[Any], None]) -> None:
        # The last line of a killed process may be cut off.
        with control, control.makefile("rb") as lines, contextlib.suppress(OSError, ValueError):
            for line in lines:
                hear(json.loads(line))
        hear(None)

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

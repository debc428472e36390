"""The sandboxes of the built functions, which can be killed."""

from __future__ import annotations

import json
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

from local.gateway import FunctionError
from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping


class Runtimes:
    """Several sandboxes of each function, each for one invocation at a time. A killed sandbox is replaced."""

    def __init__(self, variables: Mapping[str, Mapping[str, str]], counts: Mapping[str, int]) -> None:
        """Both arguments are by function: the environment variables, and the number of sandboxes."""
        self._variables = variables
        self._free: dict[str, SimpleQueue[Emulator]] = {name: SimpleQueue() for name in counts}
        self._all: list[Emulator] = []
        self._lock = Lock()
        for name, count in counts.items():
            for _ in range(count):
                self._free[name].put(self._make(name))

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Return a function's result. Raises FunctionError if the sandbox terminated or the function failed."""
        sandbox = self._free[function].get()
        try:
            result = sandbox.invoke(event)
        except OSError as error:  # ConnectionError, and the errors of a killed emulator's socket
            with self._lock:
                self._all.remove(sandbox)
            sandbox.close()
            sandbox = self._make(function)
            raise FunctionError("the sandbox terminated") from error
        finally:
            self._free[function].put(sandbox)
        if isinstance(result, dict) and "errorType" in result and "statusCode" not in result:
            raise FunctionError(json.dumps(result))
        return result

    def kill(self, rng: random.Random) -> None:
        """Kill the emulator and the runtime of one random sandbox with SIGKILL."""
        with self._lock:
            rng.choice(self._all).kill()

    def close(self) -> None:
        with self._lock:
            for sandbox in self._all:
                sandbox.close()

    def _make(self, function: str) -> Emulator:
        sandbox = Emulator(function, self._variables[function])
        with self._lock:
            self._all.append(sandbox)
        return sandbox

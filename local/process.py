"""`python -m local.process MODULE ...`: run a module as `python -m` does, and end it when the parent process ends.

The parent holds the other end of the standard input and writes nothing to it. That end closes however the parent ends.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 2.0


def _end_with_parent() -> None:
    # Not sys.stdin: the interpreter cannot end while a thread holds its lock.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

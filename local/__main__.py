"""`python -m local` (make run): the whole service on this machine.

The gateway, the real handlers and the table run in this process. The OCPP server and the charge points run in processes of
their own, so that each can be killed. A process that ends is reported and restarted after a few seconds.
"""

from __future__ import annotations

import select
import signal
import sys
from contextlib import ExitStack

from local.launch import CannotStart, launch
from local.options import read_options

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Serve until a signal arrives or the terminal closes. Return the exit code: 0, or 1 if the stack cannot start."""
    options = read_options(__doc__)
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    for number in _SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            # Runs first at the end: a second Ctrl-C must not leave processes behind.
            stack.callback(_ignore_signals)
            launch(options, stack)
            _wait_for_end(at_terminal)
    except KeyboardInterrupt:
        pass
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _wait_for_end(at_terminal: bool) -> None:
    # The kernel signals a closed terminal to the session's first process only. With `ssh -t host make run` that is make, which
    # waits for this process: so this process polls the terminal itself.
    if at_terminal:
        terminal = select.poll()
        terminal.register(0, 0)
        if terminal.poll()[0][1] & select.POLLHUP:
            return
    while True:
        signal.pause()


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())

"""Prepare a function for SnapStart: a snapshot must contain no unique value and no open connection.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html

The owner of an attempt comes from the kernel's random numbers, which Lambda makes unique. Credentials are read from the environment
for each request, and the first request opens the first connection. What remains is to close any connection, and to give each
restored process its own jitter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(environ: Mapping[str, str], close: Callable[[], None]) -> None:
    """Under SnapStart, call `close` before the snapshot is taken, and seed `random` again after each restore."""
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    import random

    # Part of Lambda's runtime.
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(close)
    register_after_restore(random.seed)

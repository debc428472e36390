"""What SnapStart asks of a function: nothing unique and no connection in the snapshot that many are restored from.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html

Owners of attempts come from the kernel's randomness, which Lambda makes unique, credentials from the environment at each request,
and no connection is made before the first one. So what is left is small: close whatever was opened all the same, and let the
jitter of retries differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(environ: Mapping[str, str], close: Callable[[], None]) -> None:
    """Under SnapStart, call `close` before the snapshot is taken, and seed `random` anew after it was restored."""
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    import random

    # Lambda's runtime brings it.
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(close)
    register_after_restore(random.seed)

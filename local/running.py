"""Run an asynchronous part of the local stack: in its own thread, or as a process until a signal arrives."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


@contextmanager
def in_thread(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter `manager` in a new thread with its own event loop, and exit it there. Raises what entering raised."""
    entered: Future[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        leave = asyncio.Event()
        try:
            async with manager as value:
                entered.set_result((value, asyncio.get_running_loop(), leave))
                await leave.wait()
        except Exception as error:
            if entered.done():
                raise
            entered.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        value, loop, leave = entered.result()
    except BaseException:
        thread.join()
        raise
    try:
        yield value
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()


async def wait_for_signal() -> None:
    """Wait for SIGINT or SIGTERM."""
    received = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, received.set)
    await received.wait()

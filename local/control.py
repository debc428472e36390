"""The control channel between the launcher and a process: lines of JSON over a socket pair, without a port.

The process writes a snapshot of its state per line, and reads a command per line. It receives its end as an open file.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

POLL_SECONDS = 0.05
"""How often the state is compared with the last snapshot."""


@asynccontextmanager
async def controlled(
    file: int | None, snapshot: Callable[[], Any], execute: Callable[[Any], None]
) -> AsyncIterator[None]:
    """Write what `snapshot` returns, now and at each change, and pass each command to `execute`. Do nothing without a file."""
    if file is None:
        yield
        return
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=file))
    tasks = [
        asyncio.create_task(_write_snapshots(writer, snapshot)),
        asyncio.create_task(_read_commands(reader, execute)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()


async def _write_snapshots(writer: asyncio.StreamWriter, snapshot: Callable[[], Any]) -> None:
    written = None
    while True:
        if (current := snapshot()) != written:
            writer.write(json.dumps(current).encode() + b"\n")
            await writer.drain()
            written = current
        await asyncio.sleep(POLL_SECONDS)


async def _read_commands(reader: asyncio.StreamReader, execute: Callable[[Any], None]) -> None:
    while line := await reader.readline():
        execute(json.loads(line))

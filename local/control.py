"""How the launcher sees into the charge points and tells them what to do: lines of JSON over a socket pair, no port.

Each line out is everything that is true now; each line in is an order. The process gets its end as an open file.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

GLANCE = 0.05
"""Seconds between two looks at whether something changed."""


@asynccontextmanager
async def steered(
    file: int | None, snapshot: Callable[[], Any], obey: Callable[[Any], None]
) -> AsyncIterator[None]:
    """Writes what `snapshot` gives, now and whenever it changes, and hands each order to `obey`. Without a file, nothing."""
    if file is None:
        yield
        return
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=file))
    tasks = [asyncio.create_task(_tell(writer, snapshot)), asyncio.create_task(_heed(reader, obey))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()


async def _tell(writer: asyncio.StreamWriter, snapshot: Callable[[], Any]) -> None:
    told = None
    while True:
        if (news := snapshot()) != told:
            writer.write(json.dumps(news).encode() + b"\n")
            await writer.drain()
            told = news
        await asyncio.sleep(GLANCE)


async def _heed(reader: asyncio.StreamReader, obey: Callable[[Any], None]) -> None:
    while line := await reader.readline():
        obey(json.loads(line))

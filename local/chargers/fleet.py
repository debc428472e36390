"""Several charge points in one event loop, and the file in which they record the received starts."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from local.chargers.chargepoint import ChargePoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from local.chargers.behaviours import Behaviour
    from local.chargers.messages import Start


@asynccontextmanager
async def charging(
    behaviours: Iterable[Behaviour], url: str, journal: Path | None = None
) -> AsyncIterator[dict[str, ChargePoint]]:
    """Run the charge points with the server at `url`, and yield them by identity.

    Every start is appended to `journal`, as a line of JSON, before it is answered.
    """
    with ExitStack() as stack:
        record = _append_to(journal, stack) if journal else lambda _: None
        chargers = {behaviour.identity: ChargePoint(behaviour, url, record) for behaviour in behaviours}
        tasks = [asyncio.create_task(charger.run()) for charger in chargers.values()]
        try:
            yield chargers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _append_to(journal: Path, stack: ExitStack) -> Callable[[Start], None]:
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    stack.callback(os.close, file)

    def record(start: Start) -> None:
        os.write(file, (json.dumps(asdict(start)) + "\n").encode())

    return record

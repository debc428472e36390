"""Requests and bytes at the socket with few attempts in the table and with many: they must not differ.

Not timed: the embedded table is not DynamoDB, and the real one promises its time for key conditions with a limit.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import events
from benchmarks.function import Function
from benchmarks.relay import Relay, Traffic
from benchmarks.surroundings import variables
from local.table import start_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.programs import Program
    from benchmarks.surroundings import Surroundings
    from local.table import TableServer

SIZES = (100, 10_000)
_CHARGER = "CP-1"
_BATCH = 25  # BatchWriteItem takes no more
# What varies from run to run: milliseconds of one digit or of two, a lease whose last decimal is zero, and what follows from them.
_VARYING = re.compile(
    rb'(?<="N":")\d[\d.]*(?="}[,}])|(?<="N": ")\d[\d.]*(?="}[,}])|(?<=x-amz-crc32: )\d+|(?<=Content-Length: )\d+'
)


def measure(
    service: Program, around: Surroundings, sizes: Sequence[int] = SIZES
) -> dict[str, dict[int, dict[str, int]]]:
    """Of each kind of request, by the number of attempts of one charger in the table: requests and bytes at the table's socket.

    Raises RuntimeError for a scan, a filter, or a query without key condition or limit.
    """
    found: dict[str, dict[int, dict[str, int]]] = {}
    with ExitStack() as stack:
        table = start_table()
        stack.callback(table.close)
        relay = stack.enter_context(Relay(int(table.url.rpartition(":")[2]), _VARYING))
        settings = variables(f"http://127.0.0.1:{relay.port}", table.name)
        connect = stack.enter_context(Function(service, settings))
        attempts = stack.enter_context(Function(service, settings, "AttemptsFunction"))
        connect.serve([events.connect(around.link, charger=_CHARGER)])
        (model,) = table.items()
        table.on_request = _demand_keys
        for size in sizes:
            _fill(table, model, size)
            known = {"id": str(UUID(int=1))}
            charger = {"chargerId": _CHARGER}
            cases: dict[str, tuple[Function, Any]] = {
                "connect": (connect, lambda: events.connect(around.link, charger="CP-2")),
                "connect, server not named": (connect, lambda: events.connect(None, charger=_CHARGER)),
                "one attempt": (attempts, lambda known=known: events.get(events.ATTEMPT, known)),
                "a charger's newest": (
                    attempts,
                    lambda charger=charger: events.get(events.ATTEMPTS, charger, {"limit": "10"}),
                ),
            }
            for case, (function, event) in cases.items():
                seen = _traffic(relay, function, event())
                found.setdefault(case, {})[size] = {
                    "requests": seen.requests,
                    "bytes sent": seen.sent,
                    "bytes received": seen.received,
                }
    return found


def _traffic(relay: Relay, function: Function, event: dict[str, Any]) -> Traffic:
    before = relay.traffic()
    function.serve([event])
    after = relay.traffic()
    return Traffic(
        after.requests - before.requests, after.sent - before.sent, after.received - before.received
    )


def _fill(table: TableServer, model: dict[str, Any], size: int) -> None:
    """Attempts like `model` until `size` stand there, each older than the model."""
    have = len(table.items())
    for start in range(have, size, _BATCH):
        numbers = range(start, min(size, start + _BATCH))
        puts = [{"PutRequest": {"Item": _copy(model, number)}} for number in numbers]
        table.call("BatchWriteItem", {"RequestItems": {table.name: puts}})


def _copy(model: dict[str, Any], number: int) -> dict[str, Any]:
    created = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z"
    return {**model, "id": {"S": str(UUID(int=number))}, "createdAt": {"S": created}}


def _demand_keys(operation: str, body: dict[str, Any]) -> None:
    bounded = "KeyConditionExpression" in body and "Limit" in body and "FilterExpression" not in body
    if operation == "Scan" or (operation == "Query" and not bounded):
        raise RuntimeError(f"reads without bound: {operation} {json.dumps(body)}")

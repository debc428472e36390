"""The number of a charger's attempts in the table changes neither the number of DynamoDB requests nor their bytes.

Times are not compared: the embedded table is not DynamoDB, which has constant times for key conditions with a limit.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from benchmarks import events
from benchmarks.endpoints import stub_endpoints, variables
from benchmarks.function_process import FunctionProcess
from benchmarks.programs import SERVICE, Program
from benchmarks.relay import Relay, Traffic
from local.table import TableServer, start_table
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.artefact,
    pytest.mark.skipif(bool(emulator.missing()), reason=emulator.missing() or ""),
]

FEW, MANY = 20, 200
CHARGER = "CP-1"
BATCH = 25  # the most items that BatchWriteItem accepts
# These lengths vary from run to run: numbers have more or fewer digits, and the checksum and the content length follow.
VARYING = re.compile(
    rb'(?<="N":")\d[\d.]*(?="}[,}])|(?<="N": ")\d[\d.]*(?="}[,}])|(?<=x-amz-crc32: )\d+|(?<=Content-Length: )\d+'
)


class Harness:
    """The two functions that use the table, and a relay in front of it."""

    def __init__(self, stack: ExitStack) -> None:
        self.link = stack.enter_context(stub_endpoints()).link
        self.table: TableServer = start_table()
        stack.callback(self.table.close)
        self.relay = stack.enter_context(Relay(int(self.table.url.rpartition(":")[2]), VARYING))
        settings = variables(f"http://127.0.0.1:{self.relay.port}", self.table.name)
        service = Program(SERVICE, emulator.build(), emulator.build())
        self.connect = stack.enter_context(FunctionProcess(service, settings))
        self.attempts = stack.enter_context(FunctionProcess(service, settings, "AttemptsFunction"))
        self.connect.invoke([events.connect(self.link, charger=CHARGER)])
        (self.attempt,) = self.table.items()
        self.table.on_request = reject_unbounded_reads

    def requests(self) -> Iterator[tuple[str, FunctionProcess, dict[str, Any]]]:
        """Yield the name of each case, its function and its event."""
        yield "connect", self.connect, events.connect(self.link, charger="CP-2")
        yield "connect, server not named", self.connect, events.connect(None, charger=CHARGER)
        yield "one attempt", self.attempts, events.get(events.ATTEMPT, {"id": str(UUID(int=1))})
        newest = events.get(events.ATTEMPTS, {"chargerId": CHARGER}, {"limit": "10"})
        yield "a charger's newest attempts", self.attempts, newest

    def traffic(self, function: FunctionProcess, event: dict[str, Any]) -> Traffic:
        """Return the table's traffic that `event` causes."""
        before = self.relay.traffic()
        function.invoke([event])
        after = self.relay.traffic()
        return Traffic(
            after.requests - before.requests, after.sent - before.sent, after.received - before.received
        )

    def fill(self, size: int) -> None:
        """Add copies of the first attempt, older than it, until the table has `size` items."""
        for start in range(len(self.table.items()), size, BATCH):
            numbers = range(start, min(size, start + BATCH))
            puts = [{"PutRequest": {"Item": self._copy(number)}} for number in numbers]
            self.table.call("BatchWriteItem", {"RequestItems": {self.table.name: puts}})

    def _copy(self, number: int) -> dict[str, Any]:
        created = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z"
        return {**self.attempt, "id": {"S": str(UUID(int=number))}, "createdAt": {"S": created}}


def reject_unbounded_reads(operation: str, body: dict[str, Any]) -> None:
    """Raise RuntimeError for a scan, and for a query with a filter or without a key condition or limit."""
    bounded = "KeyConditionExpression" in body and "Limit" in body and "FilterExpression" not in body
    if operation == "Scan" or (operation == "Query" and not bounded):
        raise RuntimeError(f"unbounded read: {operation} {json.dumps(body)}")


def test_a_growing_table_changes_neither_requests_nor_bytes() -> None:
    with ExitStack() as stack:
        harness = Harness(stack)
        harness.fill(FEW)
        few = {name: harness.traffic(function, event) for name, function, event in harness.requests()}
        harness.fill(MANY)
        many = {name: harness.traffic(function, event) for name, function, event in harness.requests()}
    assert few == many

"""Count DynamoDB calls and link calls at the socket, and compute the capacity units that DynamoDB would charge.

The table is the embedded one, which evaluates conditions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks import events
from benchmarks.capacity import Item, read_units, write_units
from benchmarks.endpoints import variables
from benchmarks.function_process import FunctionProcess
from benchmarks.programs import SERVICE
from benchmarks.relay import Relay
from local.table import TableServer, start_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.endpoints import Endpoints
    from benchmarks.figures import Samples
    from benchmarks.programs import Program

_UNUSED_PORT = 1  # tcpmux: nothing listens there
_READS = ("GetItem", "Query", "BatchGetItem", "Scan")


@dataclass(slots=True)
class Calls:
    """What one request caused. `reads` are included in `dynamodb`."""

    dynamodb: int
    reads: int
    units: float
    link: int

    def to_json(self) -> dict[str, float]:
        return {
            "dynamodb calls": self.dynamodb,
            "of which reads": self.reads,
            "capacity units": self.units,
            "link calls": self.link,
        }


def measure(
    programs: Sequence[Program], endpoints: Endpoints, samples: Samples
) -> dict[str, dict[str, dict[str, float]]]:
    """Add `dynamodb_calls` and `capacity_units` of a first call that is accepted. Return all cases, by program and case.

    Only the service runs the other cases: a replay, a conflict and a failure.
    """
    cases: dict[str, dict[str, dict[str, float]]] = {}
    for program in programs:
        with _CallCounter(endpoints.link) as counter:
            measured = _cases(program, counter)
        samples.add("dynamodb_calls", program.name, measured["first call"].dynamodb, "calls")
        samples.add("capacity_units", program.name, measured["first call"].units, "units")
        cases[program.name] = {case: calls.to_json() for case, calls in measured.items()}
    return cases


def _cases(program: Program, counter: _CallCounter) -> dict[str, Calls]:
    settings = variables(f"http://127.0.0.1:{counter.table_port}", counter.table.name)
    port = counter.link_port
    id_ = str(uuid4())
    with FunctionProcess(program, settings) as process, FunctionProcess(program, settings) as other:
        cases = {"first call": counter.count(process, events.connect(port, id_=id_))}
        if program.name != SERVICE:
            return cases
        cases["replay"] = counter.count(process, events.connect(port, id_=id_))

        other.invoke([events.connect(port)])  # a cold start would delay the next request
        slow = events.connect(port, charger="SLOW-1")
        earlier = counter.link_calls()
        other.send([slow])
        while counter.link_calls() == earlier:
            time.sleep(0.01)
        cases["conflict"] = counter.count(process, slow, expected=409)
        other.receive()

        cases["failure"] = counter.count(process, events.connect(_UNUSED_PORT), expected=502)
    return cases


@dataclass(slots=True)
class _Write:
    id: str
    before: Item | None


@dataclass(slots=True)
class _CallCounter:
    """Relays in front of a table and of the OCPP server, and a record of the table's requests."""

    link: int
    table: TableServer = field(init=False)
    _relays: tuple[Relay, Relay] = field(init=False)
    _writes: list[_Write] = field(default_factory=list)
    _reads: int = 0
    _read_units: float = 0.0

    def __enter__(self) -> _CallCounter:
        self.table = start_table()
        self.table.on_request = self._record
        self._relays = Relay(int(self.table.url.rpartition(":")[2])), Relay(self.link)
        return self

    def __exit__(self, *_: object) -> None:
        for relay in self._relays:
            relay.close()
        self.table.close()

    @property
    def table_port(self) -> int:
        return self._relays[0].port

    @property
    def link_port(self) -> int:
        return self._relays[1].port

    def count(self, process: FunctionProcess, event: dict[str, Any], expected: int = 200) -> Calls:
        """Send `event`, and return the calls that it caused. The response must have the status code `expected`."""
        self._writes, self._reads, self._read_units = [], 0, 0.0
        before = [relay.traffic().requests for relay in self._relays]
        process.invoke([event], expected)
        dynamodb, link = (
            relay.traffic().requests - old for relay, old in zip(self._relays, before, strict=True)
        )
        return Calls(dynamodb, self._reads, self._write_units() + self._read_units, link)

    def link_calls(self) -> int:
        """Return the number of requests that were sent to the OCPP server."""
        return self._relays[1].traffic().requests

    def _record(self, operation: str, body: dict[str, Any]) -> None:
        if operation in _READS:
            self._reads += 1
            if operation == "GetItem":
                item = self._item(body["Key"])
                self._read_units += read_units(item, consistent=bool(body.get("ConsistentRead")))
            return
        key = body["Key"] if "Key" in body else {"id": body["Item"]["id"]}
        self._writes.append(_Write(key["id"]["S"], self._item(key)))

    def _write_units(self) -> int:
        """The item after a write is the one that the next write to it found, or for the last write, the stored one."""
        units = 0
        for place, write in enumerate(self._writes):
            later = [other for other in self._writes[place + 1 :] if other.id == write.id]
            after = later[0].before if later else self._item({"id": {"S": write.id}})
            units += write_units(write.before, after)
        return units

    def _item(self, key: Item) -> Item | None:
        response = self.table.call("GetItem", {"TableName": self.table.name, "Key": key})
        item: Item | None = response.get("Item")
        return item

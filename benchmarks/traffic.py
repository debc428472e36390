"""Round trips, counted at the socket against a table that really judges conditions, and what DynamoDB would charge for them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks import events
from benchmarks.capacity import Item, read_units, write_units
from benchmarks.function import Function
from benchmarks.relay import Relay
from benchmarks.surroundings import variables
from local.table import TableServer, start_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Samples
    from benchmarks.programs import Program
    from benchmarks.surroundings import Surroundings

_UNUSED_PORT = 1  # tcpmux: nothing listens there
_READS = ("GetItem", "Query", "BatchGetItem", "Scan")


@dataclass(slots=True)
class Trip:
    """What one request did: calls of DynamoDB as counted at the socket, of which reads, capacity units, calls of the link."""

    calls: int = 0
    reads: int = 0
    units: float = 0.0
    link: int = 0


def measure(
    programs: Sequence[Program], around: Surroundings, samples: Samples
) -> dict[str, dict[str, dict[str, float]]]:
    """`dynamodb_calls` and `capacity_units` of a first call that is accepted; the trips of every case, by program and case."""
    trips: dict[str, dict[str, dict[str, float]]] = {}
    for program in programs:
        measured = _cases(program, around)
        first = measured["first call"]
        samples.add("dynamodb_calls", program.name, first.calls, "calls")
        samples.add("capacity_units", program.name, first.units, "units")
        trips[program.name] = {
            case: {
                "dynamodb calls": trip.calls,
                "of which reads": trip.reads,
                "capacity units": trip.units,
                "link calls": trip.link,
            }
            for case, trip in measured.items()
        }
    return trips


def _cases(program: Program, around: Surroundings) -> dict[str, Trip]:
    with ExitStack() as stack:
        watch = stack.enter_context(_Watch(around.link))
        settings = variables(f"http://127.0.0.1:{watch.table_port}", watch.table.name)
        function = stack.enter_context(Function(program, settings))
        port = watch.link_port

        id_ = str(uuid4())
        trips = {"first call": watch.trip(lambda: function.serve([events.connect(port, id_=id_)]))}
        trips["replay"] = watch.trip(lambda: function.serve([events.connect(port, id_=id_)]))

        other = stack.enter_context(Function(program, settings))
        other.serve([events.connect(port)])
        slow = events.connect(port, charger="SLOW-1")
        called = watch.link_calls()
        other.send([slow])
        while watch.link_calls() == called:
            time.sleep(0.01)
        trips["conflict"] = watch.trip(lambda: _receive(function, slow))
        other.receive()

        trips["failure"] = watch.trip(lambda: _receive(function, events.connect(_UNUSED_PORT)))
    return trips


def _receive(function: Function, event: dict[str, Any]) -> None:
    """One request, whatever its status; a program that raises has failed too."""
    function.send([event])
    function.receive()


@dataclass(slots=True)
class _Write:
    operation: str
    id: str
    before: Item | None


@dataclass(slots=True)
class _Watch:
    """Sees every request for the table and for the OCPP server."""

    link: int
    table: TableServer = field(init=False)
    _relays: tuple[Relay, Relay] = field(init=False)
    _writes: list[_Write] = field(default_factory=list)
    _read: float = 0.0
    _reads: int = 0

    def __enter__(self) -> _Watch:
        self.table = start_table()
        self.table.on_request = self._note
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

    def trip(self, request: Any) -> Trip:
        """What `request` causes."""
        self._writes, self._read, self._reads = [], 0.0, 0
        before = [relay.traffic().requests for relay in self._relays]
        request()
        table, link = (
            relay.traffic().requests - old for relay, old in zip(self._relays, before, strict=True)
        )
        return Trip(table, self._reads, self._units() + self._read, link)

    def link_calls(self) -> int:
        """Requests that were sent to the OCPP server."""
        return self._relays[1].traffic().requests

    def _note(self, operation: str, body: dict[str, Any]) -> None:
        if operation in _READS:
            self._reads += 1
            if operation == "GetItem":
                item = self._item(body["Key"])
                self._read += read_units(item, consistent=bool(body.get("ConsistentRead")))
            return
        key = body["Key"] if "Key" in body else {"id": body["Item"]["id"]}
        self._writes.append(_Write(operation, key["id"]["S"], self._item(key)))

    def _units(self) -> int:
        """Each write's item after it is what the next one on it found, or what stands there now."""
        units = 0
        for place, write in enumerate(self._writes):
            later = [other for other in self._writes[place + 1 :] if other.id == write.id]
            after = later[0].before if later else self._item({"id": {"S": write.id}})
            units += write_units(write.before, after)
        return units

    def _item(self, key: Item) -> Item | None:
        answer = self.table.call("GetItem", {"TableName": self.table.name, "Key": key})
        item: Item | None = answer.get("Item")
        return item

"""`python -m tests.chaos.simulators DIALECT`: a simulator whose records of transactions survive its process, as a database does."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.csms.chargers import Chargers
from local.csms.version import Begin, End
from local.running import wait_for_signal
from local.simulators import CitrineOS, Steve, serving_simulator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.csms.recorder import Recorder
    from local.server import Request, Response
    from local.simulators.serving import Model


class Durable:
    """A model that appends each report of a charge point to `file` before it is answered, and reads the file when it starts."""

    def __init__(self, model: Model, file: Path) -> None:
        self.subprotocols: Sequence[str] = model.subprotocols
        self.chargers = model.chargers
        self._model = model
        self._next_id = 1
        for line in _read_lines(file):
            self._replay(**line)
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @property
    def recorder(self) -> Recorder:
        return self

    async def respond(self, request: Request) -> Response:
        return await self._model.respond(request)

    def booted(self, charger: str) -> None:
        self._model.recorder.booted(charger)

    def began(self, charger: str, begin: Begin) -> str:
        # SteVe assigns its own id. CitrineOS would use the ids of its killed process again.
        given = begin if begin.id is not None else replace(begin, id=str(self._next_id))
        id_ = self._model.recorder.began(charger, given)
        self._append(charger, begin=asdict(replace(begin, id=id_)))
        self._next_id += 1
        return id_

    def ended(self, charger: str, end: End) -> None:
        self._model.recorder.ended(charger, end)
        self._append(charger, end=asdict(end))

    def _append(self, charger: str, **report: Any) -> None:
        os.write(self._file, (json.dumps({"charger": charger, **report}) + "\n").encode())

    def _replay(
        self, charger: str, begin: dict[str, Any] | None = None, end: dict[str, Any] | None = None
    ) -> None:
        if begin:
            self._model.recorder.began(charger, Begin(**begin))
            self._next_id += 1
        if end:
            self._model.recorder.ended(charger, End(**end))


def read_transactions(file: Path) -> set[tuple[str, str]]:
    """Return the charger and the id of each recorded transaction."""
    return {(line["charger"], line["begin"]["id"]) for line in _read_lines(file) if "begin" in line}


def _read_lines(file: Path) -> Iterable[dict[str, Any]]:
    return map(json.loads, file.read_text().splitlines()) if file.exists() else ()


def _make(dialect: str, call_timeout: float) -> Model:
    if dialect == "steve":
        return Steve(timeout=call_timeout)
    citrineos = CitrineOS()
    citrineos.chargers = Chargers((), call_timeout)
    return citrineos


async def _serve(arguments: argparse.Namespace) -> None:
    model = Durable(_make(arguments.dialect, arguments.call_timeout), arguments.records)
    async with serving_simulator(model, arguments.rest_port, arguments.ocpp_port):
        await wait_for_signal()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.simulators", description=__doc__)
    parser.add_argument("dialect", choices=("steve", "citrineos"))
    parser.add_argument("--rest-port", type=int, required=True)
    parser.add_argument("--ocpp-port", type=int, required=True)
    parser.add_argument("--records", type=Path, required=True, help="file of the reported transactions")
    parser.add_argument(
        "--call-timeout", type=float, required=True, help="seconds in which a charge point must answer"
    )
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()

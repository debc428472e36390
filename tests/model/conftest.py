from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from charger_link.dialects import native
from local.table import start_table
from tests.model.harness import install_harness
from tests.model.machine import Callers
from tests.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    server = start_table()
    yield Table(server)
    server.close()


@pytest.fixture
def callers(table: Table, monkeypatch: pytest.MonkeyPatch) -> type[Callers]:
    """The machine in its harness, with a dialect that is not repeatable beside the native one."""
    plain = ModuleType("charger_link.dialects.plain")
    plain.__dict__.update(start=native.start, status=native.status, REPEATABLE=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
    monkeypatch.setitem(sys.modules, plain.__name__, plain)

    class Harnessed(Callers):
        pass

    Harnessed.table = table
    Harnessed.clock = install_harness(monkeypatch)
    return Harnessed

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from charger_link.dialects import native, registry
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
    """Return the state machine in its harness, with a second dialect that is not repeatable."""
    plain = ModuleType("charger_link.dialects.plain")
    plain.__dict__["DIALECT"] = native.DIALECT._replace(name="plain", repeatable=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
    monkeypatch.setitem(sys.modules, plain.__name__, plain)
    monkeypatch.setitem(registry.MODULES, "plain", plain.__name__)

    class Harnessed(Callers):
        pass

    Harnessed.table = table
    Harnessed.clock = install_harness(monkeypatch)
    return Harnessed

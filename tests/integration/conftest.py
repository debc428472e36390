from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from local.table import start_table
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture(scope="module", autouse=True)
def _metrics_have_a_namespace() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "charger-connect")
        yield


@pytest.fixture(scope="module")
def shared_table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.fixture
def table(shared_table: TableServer) -> Iterator[TableServer]:
    """The template's table, empty and without faults."""
    yield shared_table
    shared_table.on_request = lambda *_: None
    shared_table.clear()
    shared_table.operations.clear()


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    """An OCPP server whose chargers accept every start, until a test sets another script."""
    with closing(Misbehaving(responds_with())) as server:
        yield server

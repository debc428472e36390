from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.calling import Caller, calling
from tests.integration.misbehaving import Misbehaving, answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    """An OCPP server whose chargers accept everything, until it is told otherwise."""
    with closing(Misbehaving(answers())) as server:
        yield server


@pytest.fixture
def caller(table: TableServer) -> Iterator[Caller]:
    with calling(table, LINK_TIMEOUT="2") as caller:
        yield caller

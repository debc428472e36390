from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.table import start_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def table() -> Iterator[TableServer]:
    server = start_table()
    yield server
    server.close()

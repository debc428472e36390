from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.calling import Caller, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def caller(table: TableServer) -> Iterator[Caller]:
    with calling(table, LINK_TIMEOUT="2") as caller:
        yield caller

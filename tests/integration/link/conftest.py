from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.misbehaving import Misbehaving, answers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    """An OCPP server whose chargers accept everything, until it is told otherwise."""
    with closing(Misbehaving(answers())) as server:
        yield server

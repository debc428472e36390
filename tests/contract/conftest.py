"""Lets a test say which recorded case it runs; `summary.py` counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.cases import Answer, Exchange, Request
from tests.contract.summary import PROPERTY, Level

Ran = Callable[[Level, Exchange | Request | Answer], None]


@pytest.fixture
def ran(record_property: Callable[[str, object], None]) -> Ran:
    """Call it first: `ran("http", exchange)` counts the case at its level, whether it then passes or fails."""

    def register(level: Level, case: Exchange | Request | Answer) -> None:
        kind = f"{type(case).__name__.lower()}s"
        record_property(PROPERTY, [level, kind, case.klass if isinstance(case, Exchange) else ""])

    return register

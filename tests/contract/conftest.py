"""A fixture with which a test registers the recorded case that it runs. `summary.py` counts them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.cases import Exchange, Request, Response
from tests.contract.summary import PROPERTY, Level

RegisterCase = Callable[[Level, Exchange | Request | Response], None]


@pytest.fixture
def register_case(record_property: Callable[[str, object], None]) -> RegisterCase:
    """Return a function that counts a case: `register_case("http", exchange)`. Call it first, so that failures count."""

    def register(level: Level, case: Exchange | Request | Response) -> None:
        kind = f"{type(case).__name__.lower()}s"
        record_property(PROPERTY, [level, kind, case.klass if isinstance(case, Exchange) else ""])

    return register

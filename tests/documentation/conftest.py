from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apidoc import examples
from tests.documentation.stack import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.documentation.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The local stack, already waiting for the charger that never answers."""
    with running("--link-timeout=5") as stack:
        stack.ask_the_silent(examples.sample("outcome-unknown"))
        yield stack
        stack.silent()

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
    """The local stack, with two calls to the silent charger already in progress."""
    with running("--link-timeout=12") as stack:
        stack.send_to_silent_charger(examples.find_sample("outcome-unknown"))
        yield stack
        stack.silent_charger_responses()

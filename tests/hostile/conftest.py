from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.hostile.harness import Stack, running_stack
from tests.hostile.summary import PROPERTY

Count = Callable[[str, Mapping[int, int], int], None]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def count_inputs(record_property: Callable[[str, object], None]) -> Count:
    """Return a function that passes counts to the summary.

    Its arguments are the name of the test, the number of responses by status code (0 if not over HTTP), and the peak of
    memory of one input, in bytes.
    """

    def count(name: str, statuses: Mapping[int, int], peak: int) -> None:
        record_property(PROPERTY, [name, {str(status): number for status, number in statuses.items()}, peak])

    return count

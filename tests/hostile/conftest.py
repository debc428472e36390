from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.hostile.stage import Stage, staged
from tests.hostile.summary import PROPERTY

Counted = Callable[[str, Mapping[int, int], int], None]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Tells the summary: the name of a harness, its answers by status (0: not over HTTP), and the most memory one took."""

    def tell(name: str, statuses: Mapping[int, int], most: int) -> None:
        record_property(PROPERTY, [name, {str(status): number for status, number in statuses.items()}, most])

    return tell

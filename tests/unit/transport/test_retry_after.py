"""The value of Retry-After for a wait."""

from __future__ import annotations

import pytest

from common.transport.retry_after import retry_after


@pytest.mark.parametrize(
    ("seconds", "value"),
    [(-3, 1), (0, 1), (0.001, 1), (1, 1), (1.001, 2), (1.5, 2), (19.2, 20), (3600, 3600)],
)
def test_a_wait_is_rounded_up_and_at_least_a_second(seconds: float, value: int) -> None:
    assert retry_after(seconds) == value

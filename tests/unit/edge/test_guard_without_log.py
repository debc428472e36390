"""A crash has its safe response even if it cannot be logged, and nothing of it leaves the handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.edge import guard
from tests.integration.calling import Context

if TYPE_CHECKING:
    from common.edge.lambda_types import Response

SECRET_TEXT = "04A2B3C4D5E6F7"


class BrokenLog:
    def error(self, *_: object, **__: object) -> None:
        raise OSError("the log is broken")


def crash() -> Response:
    raise ValueError(SECRET_TEXT)


def test_the_safe_response_is_returned_without_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_log", BrokenLog())
    assert guard.run_guarded(crash, Context(29.0), lambda: {"statusCode": 500}) == {"statusCode": 500}


@pytest.mark.parametrize("with_log", [True, False])
def test_an_exception_without_a_safe_response_has_no_context(
    with_log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_log:
        monkeypatch.setattr(guard, "_log", BrokenLog())
    with pytest.raises(guard.Crashed) as raised:
        guard.run_guarded(crash, Context(29.0), crash)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert SECRET_TEXT not in str(raised.value)

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from local.gateway import serve
from local.template import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from local.gateway import Page

    Serving = Callable[..., AbstractContextManager["Gateway"]]

ROUTES = (
    Route("ANY /any", "Echo", open=False),
    Route("POST /any", "Post", open=False),
    Route("GET /things/{id}", "Echo", open=False),
    Route("GET /things/known", "Known", open=False),
    Route("GET /things/{id}/parts", "Echo", open=True),
    Route("GET /files/{path+}", "Echo", open=False),
)


class Gateway:
    """A gateway whose functions are one Python function; `events` are its arguments."""

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], Any],
        pages: dict[str, Page] | None,
        callback_hosts: Sequence[str],
    ) -> None:
        self.called: list[str] = []
        self.events: list[dict[str, Any]] = []
        self._answer = answer
        self.server = serve(ROUTES, self._invoke, pages=pages, callback_hosts=callback_hosts)
        self.url = self.server.url

    def _invoke(self, name: str, event: dict[str, Any]) -> Any:
        self.called.append(name)
        self.events.append(event)
        return self._answer(event)


@contextmanager
def _serving(
    answer: Any = "", pages: dict[str, Page] | None = None, callback_hosts: Sequence[str] = ()
) -> Iterator[Gateway]:
    gateway = Gateway(answer if callable(answer) else lambda _: answer, pages, callback_hosts)
    try:
        yield gateway
    finally:
        gateway.server.close()


@pytest.fixture
def serving() -> Serving:
    """`serving(answer, pages, callback_hosts)`: run a gateway whose functions return `answer`, a value or a function of the event."""
    return _serving


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with _serving({"statusCode": 204}) as gateway:
        yield gateway

"""The local stack as a process, and its pages in a real browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import MISSING, browsing, found
from tests.browser.console import Console
from tests.documentation.stack import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.documentation.stack import Stack

DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium() -> None:
    """Skip the test if no browser is installed; with REQUIRE_BROWSER=1, fail."""
    if found():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="session")
def stack(chromium: None) -> Iterator[Stack]:
    """A stack with all ten charge points and a link timeout of three seconds."""
    with running("--chargers=all", "--link-timeout=3") as stack:
        yield stack


# Scope "module": Playwright's event loop occupies this thread until it ends, and other tests run their own loops.
@pytest.fixture(scope="module")
def browser(chromium: None) -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def visit(stack: Stack, browser: Browser) -> Iterator[Callable[..., Console]]:
    """Open a page of the stack: `visit(path, **options of the browser's context)`.

    At the end, no page may have raised or logged an error. Error status codes of the API are allowed.
    """
    opened: list[Console] = []

    def visit(path: str = "/", **options: object) -> Console:
        context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        opened.append(Console(context.new_page(), stack))
        opened[-1].open(path)
        return opened[-1]

    yield visit
    for console in opened:
        console.page.context.close()
    assert [error for console in opened for error in console.errors] == []


@pytest.fixture
def console(visit: Callable[..., Console]) -> Console:
    """The console, with the initial behaviour of every charge point."""
    console = visit()
    console.restore()
    return console

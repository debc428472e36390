"""A headless Chromium, where one is installed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

MISSING = "no Chromium is installed (Debian: apt-get install chromium)"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing that asks the network for anything by itself.
_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


def found() -> str | None:
    """The path of a Chromium of this machine."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser until the end of the block; no other event loop can run in this thread meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()

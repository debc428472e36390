"""`python -m tests.browser.screenshots` (make screenshots): the pictures in `docs/images`, of a stack at its usual ports."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from apidoc.generate import ROOT
from tests.browser.chromium import browsing
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.console import Console
from tests.documentation.stack import Ports, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.documentation.stack import Stack

IMAGES = ROOT / "docs" / "images"
USUAL = Ports(gateway=8000, table=8001, rest=9080, ocpp=9081, unused=9089)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with running("--link-timeout=5", ports=USUAL) as stack, browsing() as browser:
        console = _open(browser, stack, "/", "light", {"width": 1360, "height": 1000})
        for charger in ("CP-4", "CP-3", "CP-2"):
            console.connect(charger)
        console.connect("CP-1", form="XML")
        console.press("Send it again, same id")
        console.shows("CP-1", "Charging")
        _shoot(console, "console-light")
        dark = _open(browser, stack, "/", "dark", {"width": 1360, "height": 1000})
        dark.idle("CP-2")
        dark.connect("CP-2")
        dark.connect("CP-5")
        _shoot(dark, "console-dark")
        phone = _open(browser, stack, "/", "light", PHONE)
        phone.idle("CP-2")
        phone.connect("CP-2")
        phone.page.get_by_role("heading", name="Connect a token").scroll_into_view_if_needed()
        _shoot(phone, "console-phone")
        _shoot(_open(browser, stack, "/docs", "light", DESKTOP), "help-page")


def _open(browser: Browser, stack: Stack, path: str, scheme: str, viewport: dict[str, int]) -> Console:
    context = browser.new_context(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")  # type: ignore[arg-type]
    console = Console(context.new_page(), stack)
    console.open(path)
    return console


def _shoot(console: Console, name: str) -> None:
    console.page.wait_for_timeout(700)
    image = IMAGES / f"{name}.png"
    console.page.screenshot(path=image)
    if quantize := shutil.which("pngquant"):  # a third of the bytes
        subprocess.run([quantize, "--force", "--ext=.png", "128", image], check=True)


if __name__ == "__main__":
    main()

"""Accessibility of both pages: keyboard, phone, light and dark scheme, screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.console import Console

PAGES = {"/": "Chargers", "/docs": "charger-connect"}
"""A page's path, and a heading that shows that it has loaded."""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_serious_fault(
    visit: Callable[..., Console], path: str, scheme: str, viewport: dict[str, int]
) -> None:
    console = visit(path, color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    expect(console.page.get_by_role("heading", name=PAGES[path]).first).to_be_visible()
    if path == "/":
        for charger in ("CP-1", "CP-3", "CP-4", "CP-404"):
            console.connect(charger)
        console.page.get_by_role("button", name="Details of the attempt").first.click()
    found = Axe().run(console.page).response["violations"]
    assert [fault for fault in found if fault["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_does_not_scroll_sideways(visit: Callable[..., Console], path: str) -> None:
    page = visit(path, viewport=PHONE).page
    expect(page.get_by_role("heading", name=PAGES[path]).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_everything_of_the_console_works_by_keyboard_alone(console: Console) -> None:
    page = console.page
    to(page, "Skip to the form")
    page.keyboard.press("Enter")
    to(page, "Token")
    page.keyboard.press("Control+A")
    page.keyboard.type("KEYBOARD-1")
    to(page, "JSON")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    console.idle("CP-1")
    to(page, "Connect")
    page.keyboard.press("Enter")
    assert console.outcome().startswith("200 Accepted")
    assert "<tokenId>KEYBOARD-1</tokenId>" in console.raw("Request")
    to(page, "Details of the attempt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The attempt as the API returns it")).to_be_visible()
    to(page, "Kill the OCPP server", back=True)
    to(page, "CP-4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Charger", exact=True)).to_have_value("CP-4")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(console.card("CP-4").get_by_role("radio", name="Silent")).to_be_checked()


def test_the_form_of_the_help_page_works_by_keyboard_alone(
    visit: Callable[..., Console], console: Console
) -> None:
    console.idle("CP-2")
    page = visit("/docs").page
    to(page, "chargerId")
    page.keyboard.press("Control+A")
    page.keyboard.type("CP-2")
    to(page, "Request format")
    page.keyboard.type("application/xml")
    to(page, "Send")
    page.keyboard.press("Enter")
    shown = page.get_by_role("status", name="Response")
    expect(shown).to_contain_text("200 OK")
    expect(shown).to_contain_text("<status>Accepted</status>")


def test_the_focus_is_visible(console: Console) -> None:
    page = console.page
    to(page, "Skip to the form")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return
        assert page.evaluate(_OUTLINED), page.evaluate("document.activeElement.outerHTML")


def to(page: Page, name: str, *, back: bool = False) -> None:
    """Press Tab until the element with this name has the focus."""
    for _ in range(80):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(_NAME).startswith(name):
            return
    raise AssertionError(f"no way to {name!r}")


_NAME = """() => {
  const { labels, textContent, ariaLabel } = document.activeElement;
  return (ariaLabel ?? labels?.[0]?.textContent ?? textContent).trim().replaceAll(/\\s+/g, " ");
}"""
# The inputs of the switches are invisible: the element after each one shows the focus.
_OUTLINED = """() => {
  const seen = (element) => element && getComputedStyle(element).outlineStyle !== "none";
  return seen(document.activeElement) || seen(document.activeElement.nextElementSibling);
}"""

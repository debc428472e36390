"""The help page's form sends requests in the formats that it offers. On a deployed page it only explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from help_page.app import handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.browser.console import Console


@pytest.mark.parametrize(
    ("media", "accept", "content"),
    [
        ("application/json", "", '"status":"Unavailable"'),
        ("text/xml", "", "<status>Unavailable</status>"),
        ("application/x-www-form-urlencoded", "application/xml", "<status>Unavailable</status>"),
    ],
)
def test_it_sends_and_shows_the_response(
    visit: Callable[..., Console], media: str, accept: str, content: str
) -> None:
    page = visit("/docs").page
    page.get_by_role("textbox", name="chargerId").fill("CP-3")
    page.get_by_role("combobox", name="Request format").select_option(media)
    page.get_by_role("combobox", name="Accept").select_option(accept)
    expect(page.get_by_role("region", name="Request", exact=True)).to_contain_text(f"Content-Type: {media}")
    page.get_by_role("button", name="Send").click()
    shown = page.get_by_role("status", name="Response")
    expect(shown).to_contain_text("200 OK")
    expect(shown).to_contain_text(f"content-type: {accept or media}; charset=utf-8")
    expect(shown).to_contain_text(content)


def test_a_repeat_is_a_replay_until_the_id_is_new(visit: Callable[..., Console]) -> None:
    page = visit("/docs").page
    page.get_by_role("textbox", name="chargerId").fill("CP-4")
    shown = page.get_by_role("status", name="Response")
    page.get_by_role("button", name="Send").click()
    expect(shown).to_contain_text("connect-outcome: rejected")
    page.get_by_role("button", name="Send").click()
    expect(shown).to_contain_text("idempotent-replayed: true")
    page.get_by_role("button", name="New id").click()
    page.get_by_role("button", name="Send").click()
    expect(shown).to_contain_text("connect-outcome: rejected")
    expect(shown).not_to_contain_text("idempotent-replayed")


def test_a_deployed_page_explains_instead(browser: Browser) -> None:
    page = browser.new_page()
    page.route(
        "https://charge.example.com/docs",
        lambda route: route.fulfill(body=handler({}, None)["body"], content_type="text/html"),
    )
    page.goto("https://charge.example.com/docs")
    expect(page.get_by_text("A deployed API accepts only requests that are signed")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_hidden()
    page.close()

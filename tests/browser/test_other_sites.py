"""A page of another origin, in a real browser, cannot start a charge, read data or replace a charge point."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from local.server import Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.console import Console
    from tests.documentation.stack import Stack

PATH = "/api/v1/ocpp/charger-connect"
# Requests that a page can send without a preflight, and their results.
READ = """url => fetch(url).then(answer => answer.text()).then(() => 'read', () => 'refused')"""
LISTEN = """url => new Promise(resolve => {
  const source = new EventSource(url);
  source.onopen = () => resolve('open');
  source.onerror = () => resolve('refused');
})"""
CONNECT = """url => new Promise(resolve => {
  const socket = new WebSocket(url, 'ocpp1.6');
  socket.onopen = () => resolve('open');
  socket.onclose = () => resolve('refused');
})"""
POST = """([url, body]) => fetch(url, {method: 'POST', mode: 'no-cors', body: new URLSearchParams(body)}).then(() => 'sent')"""


@pytest.fixture(params=["localhost", "127.0.0.1"])
def other(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URLs of another site (by its host name) and of another server of the same site."""

    def respond(_: Request) -> Response:
        return Response(200, [("Content-Type", "text/html")], b"<!doctype html><title>Another</title>")

    with closing(Server(respond)) as server:
        yield f"http://{request.param}:{server.port}/"


@pytest.fixture
def page(console: Console, other: str) -> Page:
    # Chromium logs the rejected requests in its console.
    console.page.goto("about:blank")
    page = console.page.context.new_page()
    page.goto(other)
    return page


def form(stack: Stack, id_: str) -> dict[str, str]:
    server = {"serverIpAddress": "127.0.0.1", "serverRestApiPort": str(stack.ports.rest)}
    return {"id": id_, "chargerId": "CP-1", "tokenId": "FROM-A-PAGE", **server}


def test_a_form_starts_no_charge(page: Page, stack: Stack) -> None:
    id_ = str(uuid4())
    url = f"http://127.0.0.1:{stack.ports.gateway}{PATH}"
    assert page.evaluate(POST, [url, form(stack, id_)]) == "sent"
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in form(stack, id_).items())
    page.set_content(f'<form method="post" action="{url}">{fields}<button>Go</button></form>')
    with page.expect_response(url) as response:
        page.get_by_role("button").click()
    assert response.value.status == 403
    assert stack.send("GET", f"{PATH}/{id_}").status == 404
    # The same bytes from a client that is no browser start one.
    stack.wait_until_available("CP-1")
    assert stack.send("POST", PATH, json.dumps(form(stack, id_)), JSON).status == 200


JSON = {"Content-Type": "application/json"}


def test_nothing_is_read(page: Page, stack: Stack) -> None:
    for port in (stack.ports.gateway, stack.ports.table, stack.ports.rest):
        assert page.evaluate(READ, f"http://127.0.0.1:{port}/") == "refused"
    assert page.evaluate(LISTEN, f"http://127.0.0.1:{stack.ports.gateway}/console/events") == "refused"


def test_no_charge_point_is_replaced(page: Page, stack: Stack) -> None:
    assert page.evaluate(CONNECT, f"ws://127.0.0.1:{stack.ports.ocpp}/ocpp/CP-1") == "refused"


def test_a_link_opens_the_console_and_it_works(page: Page, stack: Stack) -> None:
    page.set_content(f'<a href="http://127.0.0.1:{stack.ports.gateway}/">The console</a>')
    page.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator(".outcome")).to_contain_text("200")


def test_the_pages_cannot_be_framed(page: Page, stack: Stack) -> None:
    for path in ("/", "/docs"):
        url = f"http://127.0.0.1:{stack.ports.gateway}{path}"
        with page.expect_response(url) as response:
            page.set_content(f'<iframe src="{url}"></iframe>')
        assert response.value.status == 403


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_work_under_localhost_too(visit: Callable[..., Console], stack: Stack, path: str) -> None:
    page = visit("/docs").page
    page.goto(f"http://localhost:{stack.ports.gateway}{path}")
    assert page.evaluate(READ, PATH + f"/{uuid4()}") == "read"

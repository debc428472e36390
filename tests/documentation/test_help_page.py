"""The help page: complete in itself, served by the local stack and by its function."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from apidoc.document import document
from help_page.app import handler

if TYPE_CHECKING:
    from tests.documentation.stack import Stack

_LOADS = {"src", "href", "srcset", "action", "data", "poster"}


class Read(HTMLParser):
    """What the page points at, and its ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _LOADS:
                self.targets.add(value or "")
            if name == "id":
                self.ids.append(value or "")


def page() -> str:
    return str(handler({}, None)["body"])


def test_the_local_stack_serves_what_the_function_answers(stack: Stack) -> None:
    heard = stack.send("GET", "/docs")
    assert (heard.status, heard.media_type) == (200, "text/html")
    assert heard.text == page().replace('value="9080"', f'value="{stack.ports.rest}"')
    assert stack.send("POST", "/docs").status == 405


def test_it_needs_nothing_from_outside() -> None:
    read = Read(page())
    console = "/"  # where the local stack serves the page
    assert {target for target in read.targets if not target.startswith("#")} == {"data:,", console}
    assert {target[1:] for target in read.targets if target.startswith("#")} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert "url(" not in page()
    assert "@import" not in page()


def test_its_policy_lets_its_own_style_and_script_run_and_nothing_else() -> None:
    html = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src &#x27;none&#x27;")
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src &#x27;sha256-{digest}&#x27;" in policy[1]


def test_it_shows_every_operation_member_status_and_problem() -> None:
    html, described = page(), document()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path.lstrip('/')}</a>" in html
            assert f'id="{operation["operationId"]}"' in html
            assert all(f">{status}</th>" in html for status in operation["responses"])
    for schema in ("OcppChargerConnectRequest", "OcppStatusResponse", "Attempt"):
        for member in described["components"]["schemas"][schema]["properties"]:
            assert f'scope="row">{member}</th>' in html
    for kind in described["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]:
        assert f"<code>{kind.rpartition('/')[2]}</code>" in html

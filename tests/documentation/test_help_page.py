"""The help page: one self-contained file, served by the local stack and by its function."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from apidoc.document import build_document
from help_page.app import handler

if TYPE_CHECKING:
    from tests.documentation.stack import Stack

_URL_ATTRIBUTES = {"src", "href", "srcset", "action", "data", "poster"}


class PageParser(HTMLParser):
    """Collects the targets of the page's references, and its ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _URL_ATTRIBUTES:
                self.targets.add(value or "")
            if name == "id":
                self.ids.append(value or "")


def help_page() -> str:
    return str(handler({}, None)["body"])


def test_the_local_stack_serves_the_same_page_as_the_function(stack: Stack) -> None:
    response = stack.send("GET", "/docs")
    assert (response.status, response.media_type) == (200, "text/html")
    assert response.text == help_page().replace('value="9080"', f'value="{stack.ports.rest}"')
    assert stack.send("POST", "/docs").status == 405


def test_the_page_loads_no_external_resources() -> None:
    parsed = PageParser(help_page())
    console = "/"  # the local stack's console, to which the page has a link
    assert {target for target in parsed.targets if not target.startswith("#")} == {"data:,", console}
    assert {target[1:] for target in parsed.targets if target.startswith("#")} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert "url(" not in help_page()
    assert "@import" not in help_page()


def test_the_content_security_policy_allows_only_the_page_s_own_style_and_script() -> None:
    html = help_page()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src &#x27;none&#x27;")
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src &#x27;sha256-{digest}&#x27;" in policy[1]


def test_the_page_has_every_operation_field_status_and_problem() -> None:
    html, document = help_page(), build_document()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path.lstrip('/')}</a>" in html
            assert f'id="{operation["operationId"]}"' in html
            assert all(f">{status}</th>" in html for status in operation["responses"])
    for schema in ("OcppChargerConnectRequest", "OcppStatusResponse", "Attempt"):
        for field in document["components"]["schemas"][schema]["properties"]:
            assert f'scope="row">{field}</th>' in html
    for type_ in document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]:
        assert f"<code>{type_.rpartition('/')[2]}</code>" in html

"""Schemathesis: requests made from docs/openapi.yaml, good and bad, through the gateway; the answers must be what it says.

Not asked for: that everything outside the schema is refused, or everything inside accepted. The reader is lenient
on purpose (a port may be a string), and whether an address may be called is not a matter of schema.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apidoc.samples import REQUEST_FORMATS
from apidoc.written import render_openapi

if TYPE_CHECKING:
    from tests.hostile.conftest import Counted
    from tests.hostile.stage import Stage

EXAMPLES = 500 if os.environ.get("HOSTILE") == "all" else 40
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.deserializer("application/problem+xml", "application/xml", "text/xml")
def read_xml(_context: Any, response: Any) -> Any:
    """An XML answer as the object that its schema is of."""
    return plain(ElementTree.fromstring(response.text))


def plain(element: ElementTree.Element) -> Any:
    if element.get("{http://www.w3.org/2001/XMLSchema-instance}nil"):
        return None
    if len(element) and all(child.tag.endswith("}i") for child in element):
        return [plain(child) for child in element]
    if len(element):
        return {child.tag.rpartition("}")[2]: plain(child) for child in element}
    text = element.text or ""
    return int(text) if element.tag.endswith(("}connectorId", "}status")) and text.isdecimal() else text


schema = schemathesis.openapi.from_dict(yaml.safe_load(render_openapi()))
answers: Counter[int] = Counter()
sent: set[str | None] = set()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_what_the_description_says(case: schemathesis.Case[Any], stage: Stage) -> None:
    body = case.body
    # Most addresses are answered with 403: every other request is for the server that is there.
    if isinstance(body, dict) and body.get("serverIpAddress") and len(json.dumps(body, default=str)) % 2:
        body |= {"serverIpAddress": "127.0.0.1", "serverRestApiPort": stage.target.port}
    response = case.call(base_url=stage.url, timeout=120)
    answers[response.status_code] += 1
    sent.add(case.media_type)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture(scope="module", autouse=True)
def emptied(stage: Stage) -> None:
    stage.table.clear()


def test_it_asked_and_reached(stage: Stage, counted: Counted) -> None:
    counted("Schemathesis", answers, 0)
    assert sum(answers.values()) > EXAMPLES
    assert answers[200] > 0
    assert set(REQUEST_FORMATS) <= sent
    assert stage.target.strays == []

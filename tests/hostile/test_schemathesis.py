"""Schemathesis: valid and invalid requests generated from docs/openapi.yaml. The responses must match the description.

The tests do not require that requests outside the schema are rejected, or that those inside are accepted. The parser is
lenient on purpose (a port may be a string), and the schema does not define which addresses are allowed.
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

from apidoc.generate import render_openapi
from apidoc.samples import REQUEST_FORMATS

if TYPE_CHECKING:
    from tests.hostile.conftest import Count
    from tests.hostile.harness import Stack

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
    """Convert an XML response to the object that its schema describes."""
    return to_object(ElementTree.fromstring(response.text))


def to_object(element: ElementTree.Element) -> Any:
    if element.get("{http://www.w3.org/2001/XMLSchema-instance}nil"):
        return None
    if len(element) and all(child.tag.endswith("}i") for child in element):
        return [to_object(child) for child in element]
    if len(element):
        return {child.tag.rpartition("}")[2]: to_object(child) for child in element}
    text = element.text or ""
    return int(text) if element.tag.endswith(("}connectorId", "}status")) and text.isdecimal() else text


schema = schemathesis.openapi.from_dict(yaml.safe_load(render_openapi()))
responses: Counter[int] = Counter()
sent_media_types: set[str | None] = set()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_responses_match_the_description(case: schemathesis.Case[Any], stack: Stack) -> None:
    body = case.body
    # Most addresses return 403, so about half of the requests name the running OCPP server.
    if isinstance(body, dict) and body.get("serverIpAddress") and len(json.dumps(body, default=str)) % 2:
        body |= {"serverIpAddress": "127.0.0.1", "serverRestApiPort": stack.target.port}
    response = case.call(base_url=stack.url, timeout=120)
    responses[response.status_code] += 1
    sent_media_types.add(case.media_type)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture(scope="module", autouse=True)
def empty_table(stack: Stack) -> None:
    stack.table.clear()


def test_requests_in_every_format_were_sent_and_some_succeeded(stack: Stack, count_inputs: Count) -> None:
    count_inputs("Schemathesis", responses, 0)
    assert sum(responses.values()) > EXAMPLES
    assert responses[200] > 0
    assert set(REQUEST_FORMATS) <= sent_media_types
    assert stack.target.unexpected == []

"""Holds an answer to what `docs/openapi.yaml` says of its operation: status, media type, headers and body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from apidoc.document import document

if TYPE_CHECKING:
    from tests.documentation.stack import Heard

_DOCUMENT: dict[str, Any] = json.loads(json.dumps(document()))
_REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:openapi", Resource.from_contents(_DOCUMENT, default_specification=DRAFT202012)
)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """For a schema whose references are into the document."""
    rooted = json.loads(json.dumps(schema).replace('"#/', '"urn:openapi#/'))
    return Draft202012Validator(
        rooted, registry=_REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def assert_described(heard: Heard, method: str, path: str) -> None:
    responses = _DOCUMENT["paths"][path][method.lower()]["responses"]
    assert str(heard.status) in responses, f"{heard.status} is not described: {heard.text}"
    response = responses[str(heard.status)]
    if heard.status == 204:
        assert heard.text == ""
        return
    assert heard.media_type in response["content"], f"{heard.media_type} of {heard.status} is not described"
    for name, reference in response.get("headers", {}).items():
        header = _DOCUMENT["components"]["headers"][reference["$ref"].rpartition("/")[2]]
        value = heard.headers.get(name.lower())
        assert value is not None or not header.get("required"), f"{name} is missing"
        if value is not None:
            typed = int(value) if header["schema"]["type"] == "integer" else value
            validator(header["schema"]).validate(typed)
    if heard.media_type.endswith("json"):
        validator(response["content"][heard.media_type]["schema"]).validate(json.loads(heard.text))
    else:
        ElementTree.fromstring(heard.text)

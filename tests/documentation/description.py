"""Compares a response with its description in `docs/openapi.yaml`: status, media type, headers and body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from apidoc.document import build_document

if TYPE_CHECKING:
    from tests.documentation.stack import HttpResponse

_DOCUMENT: dict[str, Any] = json.loads(json.dumps(build_document()))
_REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:openapi", Resource.from_contents(_DOCUMENT, default_specification=DRAFT202012)
)


def make_validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema whose references point into the document."""
    rooted = json.loads(json.dumps(schema).replace('"#/', '"urn:openapi#/'))
    return Draft202012Validator(
        rooted, registry=_REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def assert_described(response: HttpResponse, method: str, path: str) -> None:
    descriptions = _DOCUMENT["paths"][path][method.lower()]["responses"]
    assert str(response.status) in descriptions, f"{response.status} is not described: {response.text}"
    description = descriptions[str(response.status)]
    if response.status == 204:
        assert response.text == ""
        return
    media = response.media_type
    assert media in description["content"], f"{media} of {response.status} is not described"
    for name, reference in description.get("headers", {}).items():
        header = _DOCUMENT["components"]["headers"][reference["$ref"].rpartition("/")[2]]
        value = response.headers.get(name.lower())
        assert value is not None or not header.get("required"), f"{name} is missing"
        if value is not None:
            typed = int(value) if header["schema"]["type"] == "integer" else value
            make_validator(header["schema"]).validate(typed)
    if media.endswith("json"):
        make_validator(description["content"][media]["schema"]).validate(json.loads(response.text))
    else:
        ElementTree.fromstring(response.text)

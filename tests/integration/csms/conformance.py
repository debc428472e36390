"""Check that a response conforms to docs/native-link.openapi.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[3] / "docs" / "native-link.openapi.yaml"
CONNECT = "/api/v1/chargers/{chargerId}/connections/{id}"
STATUS = "/api/v1/chargers/{chargerId}"
METHODS = {CONNECT: ("PUT", "GET", "DELETE"), STATUS: ("GET",)}


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def documented(path: str, method: str) -> dict[str, Any]:
    """Return the responses that the file allows for a method of `path`, by status code."""
    responses = document()["paths"][path][method.lower()]["responses"]
    return {status: _resolved(response) for status, response in responses.items()}


def assert_conforms(path: str, method: str, status: int, headers: dict[str, str], body: Any) -> None:
    """Compare a response with the file. The rejection of any other method is compared with those of the path's first one."""
    known = method if method in METHODS[path] else METHODS[path][0]
    response = documented(path, known).get(str(status))
    assert response, f"{status} is not a response of {method} {path}"
    media = headers["content-type"]
    assert media in response["content"]
    schema = {**document(), **response["content"][media]["schema"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)
    for name, header in response.get("headers", {}).items():
        if header.get("required"):
            value = headers[name.lower()]
            typed = int(value) if header["schema"]["type"] == "integer" else value
            Draft202012Validator(header["schema"]).validate(typed)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    target: Any = document()
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    resolved: dict[str, Any] = target
    return resolved

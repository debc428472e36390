"""The committed API description equals the generated one, and is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import yaml
from openapi_spec_validator import validate

from apidoc.document import build_document
from apidoc.examples import FORMATS
from apidoc.generate import FILES, ROOT
from apidoc.problem_docs import PROBLEM_DOCS
from apidoc.samples import CONNECT, RESOLUTION_PROBLEMS, STOP_PROBLEMS, UNKNOWN_ATTEMPT
from apidoc.schemas import ELEMENTS
from common.wire import PROBLEM_TYPES, MediaType
from local import template
from tests.documentation.description import make_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "{http://schemas.datacontract.org/2004/07/IO.Swagger.Models}"


@pytest.mark.parametrize("path", FILES)
def test_the_committed_file_equals_the_generated_one(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path](), (
        "run `make docs` and commit the files that it writes"
    )


def test_the_document_is_valid_openapi() -> None:
    validate(yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8")))


def test_every_route_of_the_template_is_described() -> None:
    described = {
        f"{method.upper()} {path}"
        for path, node in build_document()["paths"].items()
        for method in node
        if method != "parameters"
    }
    routes = {route.key.replace("ANY ", "POST ") for route in template.read().routes}
    assert described == routes


def test_every_problem_type_has_documentation_a_sample_and_a_response() -> None:
    samples = {sample.name for sample in (*CONNECT, UNKNOWN_ATTEMPT, *STOP_PROBLEMS, *RESOLUTION_PROBLEMS)}
    described = {
        type_
        for _, response in responses()
        for node in response.get("content", {}).values()
        for type_ in node["schema"].get("properties", {}).get("type", {}).get("enum", ())
    }
    assert set(PROBLEM_TYPES) <= samples
    assert set(PROBLEM_TYPES) == set(PROBLEM_DOCS)
    assert described == {f"/problems/{slug}" for slug in PROBLEM_TYPES}


def test_every_media_type_is_described_for_requests_and_responses() -> None:
    connect = build_document()["paths"]["/api/v1/ocpp/charger-connect"]["post"]
    assert set(connect["requestBody"]["content"]) == {*MediaType, "application/x-www-form-urlencoded"}
    assert set(connect["responses"]["200"]["content"]) == set(MediaType)
    for status, response in connect["responses"].items():
        if status not in ("200", "401", "429"):
            assert {"application/problem+json", "application/problem+xml"} <= set(response["content"])


def test_every_json_example_matches_its_schema() -> None:
    checked = 0
    for schema, example in examples("json"):
        make_validator(schema).validate(example)
        checked += 1
    assert checked > 35


def test_every_xml_example_has_its_elements_in_order() -> None:
    checked = 0
    for schema, example in examples("xml"):
        root = ElementTree.fromstring(example)
        namespace, _, _ = root.tag.rpartition("}")
        if schema == {"$ref": "#/components/schemas/OcppStatusResponse"}:
            assert [element.tag for element in root] == [NAMESPACE + element for element in ELEMENTS]
        else:
            assert namespace in (NAMESPACE[:-1], "{urn:ietf:rfc:7807")
        checked += 1
    assert checked > 25


@pytest.mark.parametrize(
    "invalid",
    [
        {"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "chargerId": "CP-1", "connectorId": None},
        {"type": "/problems/invalid-request", "title": "?", "status": 400, "detail": "", "errors": []},
    ],
)
def test_the_schemas_reject_invalid_responses(invalid: dict[str, Any]) -> None:
    for name in ("OcppStatusResponse", "Problem"):
        assert not make_validator({"$ref": f"#/components/schemas/{name}"}).is_valid(invalid)


def responses() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in build_document()["paths"].values():
        for operation in path.values():
            yield from operation["responses"].items()


def examples(format_: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """Return every example with its schema."""
    document = build_document()
    bodies = [response for _, response in responses()]
    bodies += [document["paths"]["/api/v1/ocpp/charger-connect"]["post"]["requestBody"]]
    for body in bodies:
        for media, node in body.get("content", {}).items():
            for reference in node.get("examples", {}).values():
                if FORMATS[media] == format_ and "$ref" in reference:
                    name = reference["$ref"].rpartition("/")[2]
                    yield node["schema"], document["components"]["examples"][name]["value"]

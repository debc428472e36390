"""The samples as OpenAPI examples: each is stored once under `components` and referenced by media type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from apidoc.samples import (
    ATTEMPT,
    CONNECT,
    PAGE,
    RESOLUTION,
    RESOLUTION_PROBLEMS,
    RESOLVED,
    STOP,
    STOP_PROBLEMS,
    UNKNOWN_ATTEMPT,
    UNKNOWN_PAGE,
    Sample,
    encode_request,
    encode_response,
)
from common.wire import MediaType, Problem
from common.wire.media import FORM

if TYPE_CHECKING:
    from apidoc.problem_docs import Operation

Node = dict[str, Any]

FORMATS: Final[dict[str, str]] = {
    "application/json": "json",
    "text/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/problem+json": "json",
    "application/problem+xml": "xml",
    FORM: "form",
}
"""The format in which a media type's examples are written."""

_REQUEST_EXAMPLES: Final = ("accepted", "status")
_STOP_EXAMPLES: Final = frozenset(sample.name for sample in (*STOP_PROBLEMS, UNKNOWN_ATTEMPT))
_REQUEST_TYPES: Final = {"json": "application/json", "xml": "application/xml", "form": FORM}
_RESPONSE_TYPES: Final = {"json": MediaType.JSON, "xml": MediaType.XML}


def build_examples() -> dict[str, Node]:
    """Return all examples by name, such as `accepted.request.xml` and `accepted.response.json`."""
    examples: dict[str, Node] = {}
    for sample in CONNECT:
        for format_, media in _REQUEST_TYPES.items() if sample.name in _REQUEST_EXAMPLES else ():
            text = encode_request(sample.request, media)
            value = json.loads(text) if format_ == "json" else text
            examples[f"{sample.name}.request.{format_}"] = {"summary": sample.summary, "value": value}
    for sample in (*CONNECT, UNKNOWN_ATTEMPT, *STOP, *STOP_PROBLEMS, *RESOLUTION_PROBLEMS):
        for format_, media in _RESPONSE_TYPES.items():
            text = encode_response(sample.response, media)
            value = json.loads(text) if format_ == "json" else text
            examples[f"{sample.name}.response.{format_}"] = {"summary": sample.summary, "value": value}
    examples["attempt.response.json"] = {"summary": "An accepted start", "value": ATTEMPT}
    examples["attempts.response.json"] = {"summary": "The newest of two", "value": PAGE}
    examples["resolution.request.json"] = {"summary": "Nothing was started", "value": RESOLUTION}
    examples["resolved.response.json"] = {"summary": "The attempt that was resolved", "value": RESOLVED}
    examples["unknown.response.json"] = {"summary": "One attempt is unknown", "value": UNKNOWN_PAGE}
    return examples


def refer_to_resolution() -> dict[str, Node]:
    """Return a reference to the example request of a resolution."""
    return _refer(["resolution"], "request", "application/json")


def refer_to_requests(media: str) -> Node:
    """Return references to the example requests of a media type."""
    return _refer(_REQUEST_EXAMPLES, "request", media)


def refer_to_statuses(media: str) -> Node:
    """Return references to the responses that are an `OcppStatusResponse`."""
    names = [sample.name for sample in CONNECT if not isinstance(sample.response, Problem)]
    return _refer(names, "response", media)


def refer_to_stops(media: str) -> Node:
    """Return references to the responses to a DELETE that are an `OcppStatusResponse`."""
    return _refer([sample.name for sample in STOP], "response", media)


def refer_to_problems(slugs: list[str], media: str, operation: Operation) -> Node:
    """Return references to the problems of these types; to those of a DELETE only if the sample is not about a start."""
    shown = slugs if operation != "stop" else [slug for slug in slugs if slug in _STOP_EXAMPLES]
    return _refer(shown, "response", media)


def refer_to(name: str) -> Node:
    """Return a reference to one JSON response."""
    return _refer([name], "response", "application/json")


def find_sample(name: str) -> Sample:
    """Return the sample with this name. Raises KeyError if there is none."""
    return {sample.name: sample for sample in CONNECT}[name]


def _refer(names: list[str] | tuple[str, ...], part: str, media: str) -> Node:
    return {name: {"$ref": f"#/components/examples/{name}.{part}.{FORMATS[media]}"} for name in names}

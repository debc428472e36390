"""The samples as OpenAPI examples: each once under `components`, referred to by media type."""

from __future__ import annotations

import json
from typing import Any, Final

from apidoc.samples import ATTEMPT, CONNECT, PAGE, UNKNOWN_ATTEMPT, Sample, answered, written
from common.wire import MediaType, Problem
from common.wire.media import FORM

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

_SHOWN_REQUESTS: Final = ("accepted", "status")
_REQUEST_TYPES: Final = {"json": "application/json", "xml": "application/xml", "form": FORM}
_ANSWER_TYPES: Final = {"json": MediaType.JSON, "xml": MediaType.XML}


def all_examples() -> dict[str, Node]:
    """By name: `accepted.request.xml`, `accepted.answer.json`."""
    found: dict[str, Node] = {}
    for sample in CONNECT:
        for form, media in _REQUEST_TYPES.items() if sample.name in _SHOWN_REQUESTS else ():
            text = written(sample.request, media)
            value = json.loads(text) if form == "json" else text
            found[f"{sample.name}.request.{form}"] = {"summary": sample.summary, "value": value}
    for sample in (*CONNECT, UNKNOWN_ATTEMPT):
        assert not isinstance(sample.answer, dict)
        for form, media in _ANSWER_TYPES.items():
            text = answered(sample.answer, media)
            value = json.loads(text) if form == "json" else text
            found[f"{sample.name}.answer.{form}"] = {"summary": sample.summary, "value": value}
    found["attempt.answer.json"] = {"summary": "An accepted start", "value": ATTEMPT}
    found["attempts.answer.json"] = {"summary": "The newest of two", "value": PAGE}
    return found


def requests(media: str) -> Node:
    """References to the requests shown in a media type."""
    return _references(_SHOWN_REQUESTS, "request", media)


def statuses(media: str) -> Node:
    """References to the answers that are an `OcppStatusResponse`."""
    return _references(
        [sample.name for sample in CONNECT if not isinstance(sample.answer, Problem)], "answer", media
    )


def of_problems(slugs: list[str], media: str) -> Node:
    """References to the problems of these types."""
    return _references(slugs, "answer", media)


def of(name: str) -> Node:
    """A reference to one answer in JSON."""
    return _references([name], "answer", "application/json")


def sample(name: str) -> Sample:
    """The sample of that name. Raises KeyError."""
    return {sample.name: sample for sample in CONNECT}[name]


def _references(names: list[str] | tuple[str, ...], part: str, media: str) -> Node:
    return {name: {"$ref": f"#/components/examples/{name}.{part}.{FORMATS[media]}"} for name in names}

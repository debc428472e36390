"""The recorded cases: requests of .NET clients, and how the original service parsed and answered them.

Two levels of tests use them: parsing and writing alone, and complete HTTP exchanges. The files in `recorded/` were
recorded with the original service under Mono. They define the contract and are never edited.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

PATH = "/api/v1/ocpp/charger-connect"
RECORDED = Path(__file__).parent / "recorded"

Klass = Literal["must", "may_accept", "quirk"]
Bound = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange.

    `klass` is `must` (the response is as recorded), `may_accept` (the original rejects, this service may accept), or
    `quirk` (the original accepts, this service may return 200 or 4xx). `bound` holds the values that the original's
    model binder parsed, or None if it bound nothing or was not reached.
    """

    group: str
    name: str
    klass: Klass
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: bool
    status: int
    media_type: str
    allow: str
    response_body: str
    bound: Bound | None

    def header(self, name: str) -> str | None:
        """Return the value of a header. The name may be in any letter case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def reaches_the_endpoint(self) -> bool:
        """Whether it is a POST to the endpoint's path. Other responses depend on the path or the method alone."""
        return self.method == "POST" and self.path.partition("?")[0] == PATH

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request body as one kind of .NET client writes it, and the values that it sent."""

    file: str
    kind: str
    content_type: str
    accepted: bool
    sent: Bound
    body: bytes

    def __str__(self) -> str:
        return self.file


@dataclass(frozen=True, slots=True)
class Response:
    """A response body that every kind of .NET client can parse, in both formats."""

    name: str
    values: Bound
    json: str
    xml: str

    def __str__(self) -> str:
        return self.name


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Return all recorded HTTP exchanges."""
    return tuple(
        Exchange(
            group=case["group"],
            name=case["name"],
            klass=case["klass"],
            method=case["method"],
            path=case["path"],
            headers=tuple((name, value) for name, value in case["headers"]),
            body=base64.b64decode(case["body_b64"] or ""),
            chunked=case["chunked"],
            status=case["expect"]["status"],
            media_type=case["expect"]["mediaType"],
            allow=case["expect"]["allow"],
            response_body=case["expect"]["body"],
            bound=case.get("bound"),
        )
        for case in json.loads((RECORDED / "http_cases.json").read_bytes())
    )


@cache
def requests() -> tuple[Request, ...]:
    """Return all recorded request bodies."""
    folder = RECORDED / "requests"
    return tuple(
        Request(
            file=entry["file"],
            kind=entry["kind"],
            content_type=entry["contentType"],
            accepted=entry["accepted"],
            sent=entry["sent"],
            body=(folder / entry["file"]).read_bytes(),
        )
        for entry in json.loads((folder / "manifest.json").read_bytes())
    )


@cache
def responses() -> tuple[Response, ...]:
    """Return all recorded response bodies."""
    return tuple(
        Response(
            name=file.name.removesuffix(".webapi.json"),
            values=json.loads(file.read_bytes()),
            json=file.read_bytes().decode(),
            xml=file.with_suffix(".xml").read_bytes().decode(),
        )
        for file in sorted((RECORDED / "responses").glob("*.json"))
    )

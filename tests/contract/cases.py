"""The recorded cases: what .NET clients send, what the original service read and answered.

Both levels use them: reading and writing alone, and whole HTTP exchanges. `recorded/` is a copy of what was recorded
under Mono; the cases are the truth, and are never edited.
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
    """One HTTP exchange. `must`: as recorded; `may_accept`: the original refuses; `quirk`: the original accepts (200 or 4xx both fine).

    `bound` is what the original's binder read: None where it bound nothing, or where binding did not come about.
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
    answer: str
    bound: Bound | None

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in any letter case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def reaches_the_endpoint(self) -> bool:
        """Whether it is a POST to the endpoint's own path: the rest is answered by the route or the method alone."""
        return self.method == "POST" and self.path.partition("?")[0] == PATH

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """A body as one shape of .NET client writes it, and what it meant by it."""

    file: str
    kind: str
    content_type: str
    accepted: bool
    sent: Bound
    body: bytes

    def __str__(self) -> str:
        return self.file


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that every shape of .NET client reads, in both formats."""

    name: str
    values: Bound
    json: str
    xml: str

    def __str__(self) -> str:
        return self.name


@cache
def exchanges() -> tuple[Exchange, ...]:
    """All recorded HTTP exchanges."""
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
            answer=case["expect"]["body"],
            bound=case.get("bound"),
        )
        for case in json.loads((RECORDED / "http_cases.json").read_bytes())
    )


@cache
def requests() -> tuple[Request, ...]:
    """All recorded request bodies."""
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
def answers() -> tuple[Answer, ...]:
    """All recorded answers."""
    return tuple(
        Answer(
            name=file.name.removesuffix(".webapi.json"),
            values=json.loads(file.read_bytes()),
            json=file.read_bytes().decode(),
            xml=file.with_suffix(".xml").read_bytes().decode(),
        )
        for file in sorted((RECORDED / "responses").glob("*.json"))
    )

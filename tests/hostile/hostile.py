"""One hostile HTTP request, as the bytes to send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATH: Final = "/api/v1/ocpp/charger-connect"
ID: Final = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
TOKEN: Final = "04A2B3C4D5E6F7-hostile"
MODELS: Final = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
JSON: Final = "application/json"
XML: Final = "application/xml"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request. `body` is None for no body. `headers` are sent unchanged, after `Host` and before `Content-Length`."""

    name: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    target: str | bytes = PATH
    method: str = "POST"

    def to_bytes(self) -> bytes:
        target = self.target.encode("latin-1") if isinstance(self.target, str) else self.target
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), target), b"Host: localhost", b"Connection: close"]
        for name, value in self.headers:
            lines.append(name.encode() + b": " + value.encode("latin-1"))
        if self.body is not None:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")


def with_body(name: str, body: bytes, media: str) -> Hostile:
    """Return a request with a body of this media type."""
    return Hostile(f"{name} as {media}", body, (("Content-Type", media),))

"""Media types: what a body is written in, and which format the answer takes.

The rules are those of the ASP.NET Web API formatters that the clients were generated for: JSON before XML,
never 406, parameters other than `q` and `charset` ignored.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

FORM: Final = "application/x-www-form-urlencoded"

_MEDIA_RANGE = re.compile(r"\s*([!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+)\s*(?:;.*)?", re.ASCII | re.DOTALL)
_PARAMETER = re.compile(r';\s*([^\s;=]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))')
_QUALITY = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)


class MediaType(StrEnum):
    """The formats an answer can have, in the order in which they are preferred."""

    JSON = "application/json"
    TEXT_JSON = "text/json"
    XML = "application/xml"
    TEXT_XML = "text/xml"

    @property
    def is_xml(self) -> bool:
        return self is MediaType.XML or self is MediaType.TEXT_XML


_LITERAL, _SUBTYPES, _ALL = range(3)
_RANGES: Final = {
    **{media.value: (_LITERAL, media) for media in MediaType},
    "application/*": (_SUBTYPES, MediaType.JSON),
    "text/*": (_SUBTYPES, MediaType.TEXT_JSON),
    "*/*": (_ALL, MediaType.JSON),
}


@lru_cache(maxsize=64)
def content_type(header: str | None) -> tuple[str | None, str | None]:
    """The media type and the charset that a Content-Type names, both in lower case; (None, None) where it is malformed."""
    found = _MEDIA_RANGE.fullmatch(header or "")
    if found is None:
        return None, None
    return found[1].lower(), _parameters(found[0]).get("charset")


@lru_cache(maxsize=64)
def negotiate(content_type_header: str | None, accept: str | None, requested_with: str | None) -> MediaType:
    """The answer's media type, from the headers Content-Type, Accept and X-Requested-With. Never fails."""
    wanted = (accept or "").strip()
    if wanted in ("", "*/*") and (requested_with or "").strip().lower() == "xmlhttprequest":
        return MediaType.JSON
    return _best(wanted) or _own(content_type_header)


def _own(header: str | None) -> MediaType:
    rank, media = _RANGES.get(content_type(header)[0] or "", (_ALL, MediaType.JSON))
    return media if rank == _LITERAL else MediaType.JSON


def _best(accept: str) -> MediaType | None:
    """The highest quality wins; then the more literal range, then JSON before XML, then whichever is named first."""
    best: tuple[float, int, bool] | None = None
    chosen = None
    for element in accept.split(","):
        found = _MEDIA_RANGE.fullmatch(element)
        if found is None or (known := _RANGES.get(found[1].lower())) is None:
            continue
        rank, media = known
        quality = _quality(found[0])
        order = (-quality, rank, media.is_xml)
        if quality > 0 and (best is None or order < best):
            best, chosen = order, media
    return chosen


def _quality(element: str) -> float:
    value = _parameters(element).get("q", "1") if ";" in element else "1"
    return min(float(value), 1.0) if _QUALITY.fullmatch(value) else 1.0


def _parameters(header: str) -> dict[str, str]:
    return {name.lower(): (quoted or plain).lower() for name, quoted, plain in _PARAMETER.findall(header)}

"""Media types: the format of a request's body, and the choice of the response's format.

The rules are those of the ASP.NET Web API formatters, for which the clients were generated: JSON is preferred to XML,
406 is never returned, and parameters other than `q` and `charset` are ignored.
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
    """The formats of a response, in the order of preference."""

    JSON = "application/json"
    TEXT_JSON = "text/json"
    XML = "application/xml"
    TEXT_XML = "text/xml"

    @property
    def is_xml(self) -> bool:
        return self is MediaType.XML or self is MediaType.TEXT_XML


_EXACT, _ANY_SUBTYPE, _ANY_TYPE = range(3)
_RANGES: Final = {
    **{media.value: (_EXACT, media) for media in MediaType},
    "application/*": (_ANY_SUBTYPE, MediaType.JSON),
    "text/*": (_ANY_SUBTYPE, MediaType.TEXT_JSON),
    "*/*": (_ANY_TYPE, MediaType.JSON),
}


@lru_cache(maxsize=64)
def parse_content_type(header: str | None) -> tuple[str | None, str | None]:
    """Return the media type and the charset of a Content-Type, in lower case; (None, None) if it is malformed."""
    found = _MEDIA_RANGE.fullmatch(header or "")
    if found is None:
        return None, None
    return found[1].lower(), _parameters(found[0]).get("charset")


@lru_cache(maxsize=64)
def negotiate(content_type: str | None, accept: str | None, requested_with: str | None) -> MediaType:
    """Return the response's media type, from the headers Content-Type, Accept and X-Requested-With. Never raises."""
    wanted = (accept or "").strip()
    if wanted in ("", "*/*") and (requested_with or "").strip().lower() == "xmlhttprequest":
        return MediaType.JSON
    return _preferred(wanted) or _as_request(content_type)


def _as_request(content_type: str | None) -> MediaType:
    """Return the format of the request's body, if a response can have it, else JSON."""
    rank, media = _RANGES.get(parse_content_type(content_type)[0] or "", (_ANY_TYPE, MediaType.JSON))
    return media if rank == _EXACT else MediaType.JSON


def _preferred(accept: str) -> MediaType | None:
    """Return the media type with the highest quality, or None if no known one is acceptable.

    Ties are decided by the more exact range, then JSON before XML, then the order in the header.
    """
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

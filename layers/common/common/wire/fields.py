"""The names of the request's fields, as they are written in JSON, XML and forms."""

from __future__ import annotations

from typing import Final

FIELDS: Final = ("id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort")

_FIELD_BY_SPELLING: Final = {spelling: name for name in FIELDS for spelling in (name.lower(), name)}


def find_field(spelling: str) -> str | None:
    """Return the field that JSON or a form names in any letter case, or None for another name.

    Only ASCII letters are matched: `toKenId` with a Kelvin sign is another name.
    """
    return _FIELD_BY_SPELLING.get(spelling) or (
        _FIELD_BY_SPELLING.get(spelling.lower()) if spelling.isascii() else None
    )

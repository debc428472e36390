"""The names of the request's members on the wire."""

from __future__ import annotations

from typing import Final

MEMBERS: Final = ("id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort")

_ANY_CASE: Final = {spelling: name for name in MEMBERS for spelling in (name.lower(), name)}


def member_named(spelling: str) -> str | None:
    """The member that JSON or a form means by this spelling, in any letter case (of ASCII: `toKenId` with a Kelvin sign is another name)."""
    return _ANY_CASE.get(spelling) or (_ANY_CASE.get(spelling.lower()) if spelling.isascii() else None)

"""Form bodies (`application/x-www-form-urlencoded`): read only."""

from __future__ import annotations

from urllib.parse import unquote_plus

from wire.members import MEMBERS, member_named


def read_members(text: str) -> dict[str, object]:
    """The members of a form, in any letter case; duplicates: the first wins; blank ones and absent ones are None.

    `&` alone separates, and `%zz` stays as it is. Escaped bytes that are not UTF-8 become U+FFFD, which no text may hold.
    """
    members: dict[str, str | None] = {}
    for pair in text.split("&"):
        key, _, value = pair.partition("=")
        name = member_named(unquote_plus(key))
        if name is not None and name not in members:
            plain = unquote_plus(value)
            members[name] = plain if plain.strip() else None
    return {name: members.get(name) for name in MEMBERS}

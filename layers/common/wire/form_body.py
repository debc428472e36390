"""Form bodies (`application/x-www-form-urlencoded`): read only."""

from __future__ import annotations

from urllib.parse import unquote

from wire.members import MEMBERS, member_named
from wire.problems import unreadable


def read_members(text: str) -> dict[str, object]:
    """The members of a form, in any letter case; duplicates: the first wins; blank ones and absent ones are None.

    `&` alone separates; `%zz` stays as it is. Raises `Refused` (400) for escapes that are not UTF-8.
    """
    members: dict[str, str | None] = {}
    for pair in text.split("&"):
        key, _, value = pair.partition("=")
        name = member_named(_unescaped(key))
        if name is not None and name not in members:
            plain = _unescaped(value)
            members[name] = plain if plain.strip() else None
    return {name: members.get(name) for name in MEMBERS}


def _unescaped(text: str) -> str:
    try:
        return unquote(text.replace("+", " "), errors="strict")
    except UnicodeDecodeError:
        raise unreadable("holds %XX escapes that are not UTF-8: escape the bytes of UTF-8 text") from None

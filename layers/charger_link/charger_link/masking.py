"""Mask a driver's token in text that an OCPP server returned.

Servers repeat the token in their messages, in the encoding in which it was sent or in another letter case. Some cut a message in
the middle of it.
"""

from __future__ import annotations

import json

from charger_link.words import REASON_CODES, REFUSALS, InfoWord

_MASK = "***"
_INFO_WORDS = frozenset[str](InfoWord)
_CODES = REASON_CODES | REFUSALS
_SHORTEST_REMAINDER = 3  # characters of a cut token at the end of a text; fewer identify nobody
_LONGEST_TEXT = 512  # characters that are searched: far more than are kept


def mask_info(info: str, token: str) -> str:
    """Return `info` with `token` masked in the free text, which follows a word of the closed list."""
    word, blank, text = info.partition(" ")
    if word not in _INFO_WORDS:
        return mask(info, token)
    return f"{word}{blank}{mask(text, token)}"


def without_text(info: str | None) -> str | None:
    """Return only the word of the closed list and a code of OCPP after it; None if `info` has no such word.

    This is for a reply that arrives where the token is not known, so that it cannot be masked.
    """
    word, _, text = (info or "").partition(" ")
    if word not in _INFO_WORDS:
        return None
    return info if text in _CODES else word


def mask(text: str, token: str) -> str:
    """Return `text` with ``***`` for each occurrence of `token`: plain, percent-encoded, escaped as in JSON, or any mixture
    of these, in any letter case, and cut off at the end of the text.

    The time is polynomial in both lengths. A regular expression would be exponential for a token of backslashes, whose forms
    are prefixes of each other, and it would run after a charger has accepted a start.
    """
    characters = [_forms(character) for character in token.strip()]
    text = text[:_LONGEST_TEXT]
    masked: list[str] = []
    start = 0
    while start < len(text):
        end = _find_end(text, start, characters) if characters else None
        masked.append(text[start] if end is None else _MASK)
        start = start + 1 if end is None else end
    return "".join(masked)


def _find_end(text: str, start: int, characters: list[frozenset[str]]) -> int | None:
    """Return where the longest occurrence of the token that begins at `start` ends, or None.

    The end of the text ends an occurrence too, from `_SHORTEST_REMAINDER` characters on, even within a form.
    """
    positions = {start}
    for number, forms in enumerate(characters):
        if number >= _SHORTEST_REMAINDER and any(_is_cut(text[position:], forms) for position in positions):
            return len(text)
        positions = {
            position + len(form)
            for position in positions
            for form in forms
            if text[position : position + len(form)].lower() == form.lower()
        }
        if not positions:
            return None
    return max(positions)


def _is_cut(remainder: str, forms: frozenset[str]) -> bool:
    """Return whether the text ends within a form, or before it."""
    return any(
        len(remainder) < len(form) and form[: len(remainder)].lower() == remainder.lower() for form in forms
    )


def _forms(character: str) -> frozenset[str]:
    """Return a character in each encoding and in each letter case that has another length or spelling."""
    forms: set[str] = set()
    for plain in {character, character.upper(), character.lower(), character.casefold()}:
        readable = plain.encode(errors="replace").decode()
        forms |= {
            plain,
            json.dumps(plain)[1:-1],
            "".join(f"%{byte:02X}" for byte in readable.encode()),
        }
        forms |= {"".join(f"\\u{ord(each):04x}" for each in plain)} if plain.isascii() else set()
    forms |= {" ": {"+"}, "/": {"\\/"}}.get(character, set())
    return frozenset(forms)

"""Mask a driver's token in text that an OCPP server returned.

Servers repeat the token in their messages, in the encoding in which it was sent or in another letter case. Some cut a message in
the middle of it.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from charger_link.words import InfoWord

_MASK = "***"
_INFO_WORDS = frozenset[str](InfoWord)
_SHORTEST_REMAINDER = 3  # characters of a cut token at the end of a text; fewer identify nobody
_LONGEST_TEXT = 1024  # characters that are searched: far more than are kept
_CUT_ESCAPES = r"(?:%[0-9A-F]{0,2}|\\u?[0-9A-F]{0,4})*"  # of the next character, which may be cut too


def mask_info(info: str, token: str) -> str:
    """Return `info` with `token` masked in the free text, which follows a word of the closed list."""
    word, blank, text = info.partition(" ")
    if word not in _INFO_WORDS:
        return mask(info, token)
    return f"{word}{blank}{mask(text, token)}"


def mask(text: str, token: str) -> str:
    """Return `text` with ``***`` for each occurrence of `token`: plain, percent-encoded, escaped as in JSON, or any mixture
    of these, in any letter case, and cut off at the end of the text."""
    characters = [_any_form(character) for character in token.strip()]
    text = text[:_LONGEST_TEXT]
    text = re.sub("".join(characters), _MASK, text, flags=re.IGNORECASE)
    for length in range(len(characters) - 1, _SHORTEST_REMAINDER - 1, -1):
        beginning = "".join(characters[:length])
        masked, found = re.subn(f"{beginning}{_CUT_ESCAPES}$", _MASK, text, flags=re.IGNORECASE)
        if found:
            return masked
    return text


def _any_form(character: str) -> str:
    """Return a pattern that matches a character in each encoding and letter case, the longest form first."""
    forms: set[str] = set()
    for plain in {character, character.upper(), character.lower(), character.casefold()}:
        readable = plain.encode(errors="replace").decode()
        escaped = json.dumps(plain)[1:-1]
        forms |= {
            plain,
            quote(readable, safe=""),
            escaped,
            "".join(f"%{byte:02X}" for byte in readable.encode()),
        }
        forms |= {"".join(f"\\u{ord(each):04x}" for each in plain)} if plain.isascii() else set()
    forms |= {" ": {"+"}, "/": {"\\/"}}.get(character, set())
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=len, reverse=True))})"

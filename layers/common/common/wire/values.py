"""Convert the values that .NET clients write to Python types. No message repeats a value: it may be a token."""

from __future__ import annotations

import re
from math import isinf
from typing import Final
from uuid import UUID

from pydantic_core import PydanticCustomError

INT32: Final = range(-(2**31), 2**31)

_D = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GUID = re.compile(rf"{_D}|[0-9a-f]{{32}}|\{{{_D}\}}|\({_D}\)", re.IGNORECASE | re.ASCII)
_GUID_X = re.compile(
    r"\{0x[0-9a-f]{1,8}(,0x[0-9a-f]{1,4}){2},\{0x[0-9a-f]{1,2}(,0x[0-9a-f]{1,2}){7}\}\}",
    re.IGNORECASE | re.ASCII,
)
_GUID_X_WIDTHS = (8, 4, 4, *[2] * 8)
_INTEGER = re.compile("([+-]?)0*([0-9]{1,10})")
_INVALID_CHARACTER = re.compile("[\ud800-\udfff\ufffd]")


class Number(str):
    """A JSON number as it was written: `5.0` differs from `5`, and a thousand digits are not converted to an int."""

    __slots__ = ()


def read_guid(value: object) -> UUID:
    """Parse a GUID in .NET's D, N, B, P or X format, in any letter case, with blanks around it.

    All zeros is a valid GUID.
    """
    if isinstance(value, UUID):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if value is None or (not text and isinstance(value, str)):
        raise PydanticCustomError("guid", "is required: send a GUID; a retry must send the same one")
    if not isinstance(value, Number):
        if _GUID.fullmatch(text):
            return UUID(int=int(text.strip("{}()").replace("-", ""), 16))
        if text.startswith("{") and _GUID_X.fullmatch(compact := "".join(text.split())):
            parts = re.findall("0x([0-9a-f]+)", compact.lower())
            return UUID(int=int("".join(map(str.zfill, parts, _GUID_X_WIDTHS)), 16))
    raise PydanticCustomError(
        "guid", "must be a GUID in a string, such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    )


def read_int32(value: object) -> int | None:
    """Parse an int32, also in a string with blanks or a sign. A blank string is None.

    Fractions, exponents and booleans are rejected.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value in INT32):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        found = _INTEGER.fullmatch(text)
        if found and (number := int(found[1] + found[2])) in INT32:
            return number
    raise PydanticCustomError(
        "int32", "must be a whole number such as 8080, between -2147483648 and 2147483647"
    )


def read_text(value: object) -> str | None:
    """Return a string as it was sent, and a number or a boolean as text.

    Text that cannot be stored or forwarded as UTF-8 is rejected.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return _number_text(value)
    if not isinstance(value, str):
        raise PydanticCustomError("text", "must be a string")
    if not value.isascii() and _INVALID_CHARACTER.search(value):
        raise PydanticCustomError(
            "text",
            "contains a lone surrogate or U+FFFD, a sign of truncated or wrongly decoded text: send the whole text in UTF-8",
        )
    return value


def _number_text(number: Number) -> str:
    """Format a number as the .NET Framework does, with up to 15 digits: 1e3 is "1000", 1e20 is "1E+20"."""
    if number.lstrip("-").isdigit():
        return str(number)
    value = float(number)
    if isinf(value):
        raise PydanticCustomError("text", "must be a string; this number is too large")
    return f"{value:.15G}"

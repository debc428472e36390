"""Values as .NET clients write them, turned into ours. Messages never repeat a value: it may be a token."""

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
_NOT_TEXT = re.compile("[\ud800-\udfff\ufffd]")


class Number(str):
    """A JSON number exactly as it was written: `5.0` is not `5`, and a thousand digits are not yet an int."""

    __slots__ = ()


def read_guid(value: object) -> UUID:
    """A GUID in .NET's D, N, B, P or X form, in any letter case, with blanks around it. All zeros is one like any other."""
    if isinstance(value, UUID):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if value is None or (not text and isinstance(value, str)):
        raise PydanticCustomError("guid", "is required: send a GUID that is new for each attempt")
    if not isinstance(value, Number):
        if _GUID.fullmatch(text):
            return UUID(int=int(text.strip("{}()").replace("-", ""), 16))
        if text.startswith("{") and _GUID_X.fullmatch(compact := "".join(text.split())):
            parts = re.findall("0x([0-9a-f]+)", compact.lower())
            return UUID(int=int("".join(map(str.zfill, parts, _GUID_X_WIDTHS)), 16))
    raise PydanticCustomError(
        "guid", "must be a GUID, written as a string such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    )


def read_int32(value: object) -> int | None:
    """An int32, or a text of one with blanks or a sign; an empty text is null. Never a fraction, an exponent or a boolean."""
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
    """A string as sent; a number or boolean becomes its text. What cannot be stored or forwarded as UTF-8 is refused."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return _number_text(value)
    if not isinstance(value, str):
        raise PydanticCustomError("text", "must be a string")
    if not value.isascii() and _NOT_TEXT.search(value):
        raise PydanticCustomError(
            "text",
            "holds a lone surrogate or U+FFFD, which are left when text is cut or was not UTF-8: send it whole, in UTF-8",
        )
    return value


def _number_text(number: Number) -> str:
    """As the .NET Framework prints it, a fraction to 15 digits: 1e3 is "1000", 1e20 is "1E+20"."""
    if number.lstrip("-").isdigit():
        return str(number)
    value = float(number)
    if isinf(value):
        raise PydanticCustomError("text", "must be a string, not a number of this size")
    return f"{value:.15G}"

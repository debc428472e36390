"""Form bodies (`application/x-www-form-urlencoded`). Requests only: no response is written as a form."""

from __future__ import annotations

from urllib.parse import unquote_plus

from common.wire.fields import FIELDS, find_field


def read_fields(text: str) -> dict[str, object]:
    """Return the request's fields, whose names may be in any letter case. A blank or absent field is None.

    The first of several values wins. Only `&` separates pairs, and an invalid escape such as `%zz` stays as it is.
    Escaped bytes that are not UTF-8 become U+FFFD, which `values.read_text` rejects.
    """
    fields: dict[str, str | None] = {}
    for pair in text.split("&"):
        key, _, value = pair.partition("=")
        name = find_field(unquote_plus(key))
        if name is not None and name not in fields:
            decoded = unquote_plus(value)
            fields[name] = decoded if decoded.strip() else None
    return {name: fields.get(name) for name in FIELDS}

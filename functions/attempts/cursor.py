"""The cursor of a page: where the next page begins, for the caller to send back unchanged."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from common.wire.values import read_guid

if TYPE_CHECKING:
    from common.journal.attempt import Item

_MAX_LENGTH = 128
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def encode_cursor(key: Item | None) -> str | None:
    """Return the cursor of an index key; None after the last page."""
    if key is None:
        return None
    document = json.dumps([key["id"]["S"], key["createdAt"]["S"]])
    return urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode_cursor(text: str, charger_id: str) -> Item:
    """Return the index key of a cursor, within this charger's attempts only.

    Raises
    ------
    ValueError
        `encode_cursor` cannot have returned this text.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError(text)
    document = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(document, list):
        raise ValueError(text)
    id_, created = document
    if not (isinstance(created, str) and _TIMESTAMP.fullmatch(created)):
        raise ValueError(text)
    return {"id": {"S": str(read_guid(id_))}, "chargerId": {"S": charger_id}, "createdAt": {"S": created}}

"""The cursors of pages: where the next page begins, for the caller to send back unchanged."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from common.journal.unfinished import SHARDS
from common.wire.values import read_guid

if TYPE_CHECKING:
    from common.journal.attempt import Item

_MAX_LENGTH = 128
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


_DUE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")  # seconds since the epoch


def encode_cursor(key: Item | None) -> str | None:
    """Return the cursor of a key of the index `byCharger`; None after the last page."""
    return None if key is None else _encode([key["id"]["S"], key["createdAt"]["S"]])


def decode_cursor(text: str, charger_id: str) -> Item:
    """Return the index key of a cursor, within this charger's attempts only.

    Raises
    ------
    ValueError
        `encode_cursor` cannot have returned this text.
    """
    id_, created = _decode(text)
    if not (isinstance(created, str) and _TIMESTAMP.fullmatch(created)):
        raise ValueError(text)
    return {"id": {"S": str(read_guid(id_))}, "chargerId": {"S": charger_id}, "createdAt": {"S": created}}


def encode_unfinished_cursor(shard: str, key: Item | None) -> str:
    """Return the cursor of a shard of the index `unfinished`, and of a key in it; None: the shard's beginning."""
    return _encode([shard] if key is None else [shard, key["dueAt"]["N"], key["id"]["S"]])


def decode_unfinished_cursor(text: str) -> tuple[str, Item | None]:
    """Return the shard and the key of a cursor.

    Raises
    ------
    ValueError
        `encode_unfinished_cursor` cannot have returned this text.
    """
    shard, *key = _decode(text)
    if shard not in SHARDS:
        raise ValueError(text)
    if not key:
        return shard, None
    due, id_ = key
    if not (isinstance(due, str) and _DUE.fullmatch(due)):
        raise ValueError(text)
    return shard, {"id": {"S": str(read_guid(id_))}, "shard": {"S": shard}, "dueAt": {"N": due}}


def _encode(document: list[str]) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def _decode(text: str) -> list[Any]:
    if len(text) > _MAX_LENGTH:
        raise ValueError(text)
    document = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(document, list) or not document:
        raise ValueError(text)
    return document

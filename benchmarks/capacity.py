"""Compute the capacity units that DynamoDB would consume, from a request and the item before and after it.

moto reports units too, but wrong ones. Sources:

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations
"""

from __future__ import annotations

from base64 import b64decode
from math import ceil
from typing import Any

Item = dict[str, dict[str, Any]]

_WRITE_UNIT = 1024  # bytes
_READ_UNIT = 4096  # bytes
_INDEX = ("chargerId", "createdAt", "id")  # byCharger projects KEYS_ONLY: its own keys and the table's


def size(item: Item) -> int:
    """Return the bytes of an item as DynamoDB counts them: names in UTF-8, and each value by its type."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: dict[str, Any]) -> int:
    ((type_, value),) = attribute.items()
    match type_:
        case "S":
            return len(str(value).encode())
        case "B":
            return len(b64decode(value))
        case "N":
            digits = str(value).replace("-", "").replace(".", "").strip("0")
            return ceil(len(digits) / 2) + 1 + str(value).startswith("-")
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(inner) for name, inner in value.items())
        case "L":
            return 3 + sum(1 + _value_size(inner) for inner in value)
        case _:
            raise ValueError(f"unknown attribute type: {type_}")


def write_units(before: Item | None, after: Item | None) -> int:
    """Return the write units of one conditional write, in the table and in its index.

    The larger of both sizes counts. DynamoDB charges a write whose condition fails, too.
    """
    return _units(before, after) + _index_units(before, after)


def _units(before: Item | None, after: Item | None) -> int:
    return max(1, ceil(max(size(before or {}), size(after or {})) / _WRITE_UNIT))


def _index_units(before: Item | None, after: Item | None) -> int:
    old, new = _projected(before), _projected(after)
    if old == new:
        return 0
    replaced = bool(old and new)  # DynamoDB deletes the old index entry and writes a new one
    return _units(old, None) + _units(None, new) if replaced else _units(old, new)


def _projected(item: Item | None) -> Item | None:
    """Return the item's entry in the index, or None for an item without the index's keys."""
    return {name: item[name] for name in _INDEX} if item and all(name in item for name in _INDEX) else None


def read_units(item: Item | None, *, consistent: bool) -> float:
    """Return the read units of one GetItem."""
    return max(1, ceil(size(item or {}) / _READ_UNIT)) * (1.0 if consistent else 0.5)

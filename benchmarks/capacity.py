"""The capacity units that DynamoDB would consume, from what was asked and the items before and after (moto's own are wrong).

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations
"""

from __future__ import annotations

from base64 import b64decode
from math import ceil
from typing import Any

Item = dict[str, dict[str, Any]]

_WRITE = 1024
_READ = 4096
_INDEX = ("chargerId", "createdAt", "id")  # the keys of byCharger, and of the table: KEYS_ONLY


def size(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them: names in UTF-8, and each value by its kind."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
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
            raise ValueError(f"no size is known for {kind}")


def write_units(before: Item | None, after: Item | None) -> int:
    """Of one conditional write, whether its condition held or not: the larger of both sizes, in the table and in its index."""
    return _units(before, after) + _index_units(before, after)


def _units(before: Item | None, after: Item | None) -> int:
    return max(1, ceil(max(size(before or {}), size(after or {})) / _WRITE))


def _index_units(before: Item | None, after: Item | None) -> int:
    old, new = _projected(before), _projected(after)
    if old == new:
        return 0
    moved = bool(old and new)  # its entry is deleted and written anew
    return _units(old, None) + _units(None, new) if moved else _units(old, new)


def _projected(item: Item | None) -> Item | None:
    """The item's entry in the index; one without the index's keys has none."""
    return {name: item[name] for name in _INDEX} if item and all(name in item for name in _INDEX) else None


def read_units(item: Item | None, *, consistent: bool) -> float:
    """Of one GetItem."""
    return max(1, ceil(size(item or {}) / _READ)) * (1.0 if consistent else 0.5)

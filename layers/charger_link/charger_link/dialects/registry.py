"""The registry of dialects: one line each.

A dialect's module is imported when its record is first needed, so that a function loads the dialects that it uses and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from charger_link.dialects.dialect import Dialect

# The name in LinkServers, and the module whose DIALECT is the record.
MODULES = {
    "native": "charger_link.dialects.native",
    "steve": "charger_link.dialects.steve",
    "citrineos": "charger_link.dialects.citrineos",
    "ocpp-core": "charger_link.dialects.ocpp_core",
    "ocpp-cs": "charger_link.dialects.ocpp_cs",
}
DEFAULT = "native"  # the dialect of an entry that names none
NAMES = tuple(MODULES)


def load(name: str) -> Dialect:
    """Return the record of a dialect of the registry."""
    return cast("Dialect", import_module(MODULES[name]).DIALECT)


def find(name: str | None) -> Dialect | None:
    """Return the record of the dialect that an attempt stores; None if another version of the service stored its name."""
    return load(name) if name in MODULES else None


class _NamesWhere(Set[str]):
    """The names of the dialects whose record meets `condition`. A membership test loads one dialect, not all of them."""

    def __init__(self, condition: Callable[[Dialect], bool]) -> None:
        self._condition = condition

    def __contains__(self, name: object) -> bool:
        return name in MODULES and self._condition(load(name))

    def __iter__(self) -> Iterator[str]:
        return (name for name in MODULES if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


REPEATABLE: Set[str] = _NamesWhere(lambda dialect: dialect.repeatable)
CALLS_BACK: Set[str] = _NamesWhere(lambda dialect: dialect.read_callback is not None)
SEARCHABLE: Set[str] = _NamesWhere(lambda dialect: dialect.find is not None)

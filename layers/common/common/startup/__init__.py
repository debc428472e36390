"""A shorter start of a function: nothing is collected while everything is imported, and what nobody uses is not imported.

with starting():
    from somewhere import what_the_handler_needs
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Imported by pydantic to look for plugins (PYDANTIC_DISABLE_PLUGINS keeps it from looking), by Powertools' Logger to read events.
_UNUSED = ("importlib.metadata", "aws_lambda_powertools.utilities.jmespath_utils")


class _Later(ModuleType):
    """Stands for a module that is imported once something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks, and uses nothing
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def starting() -> Iterator[None]:
    """Around the imports of an entry point, and all that it builds once."""
    for name in _UNUSED:
        sys.modules.setdefault(name, _Later(name))
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # it stays: later collections need not look at it
        gc.enable()

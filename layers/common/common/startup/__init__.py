"""Shorten a cold start: no garbage collection during the imports, and no import of modules that are not used.

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

# pydantic imports the first to find plugins (PYDANTIC_DISABLE_PLUGINS turns that off), Powertools' Logger the second to read events.
_UNUSED = ("importlib.metadata", "aws_lambda_powertools.utilities.jmespath_utils")


class _LazyModule(ModuleType):
    """Import the real module when an attribute is first used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system reads these without using the module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def starting() -> Iterator[None]:
    """Surround the imports of an entry point, and the creation of its objects."""
    for name in _UNUSED:
        sys.modules.setdefault(name, _LazyModule(name))
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # these objects live as long as the process: later collections skip them
        gc.enable()

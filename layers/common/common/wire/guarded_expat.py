"""A replacement for `xml.parsers.expat` that xmltodict uses: it rejects XML features that no request needs.

A DOCTYPE is rejected where it starts, so no entity is declared or expanded. Processing instructions are rejected.
The depth and the number of elements are limited. Each rejection is a `ProblemError` (400).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn
from xml.parsers import expat

from common.wire.problems import invalid_body

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 1_000

StartHandler = Callable[[str, list[str]], None]
EndHandler = Callable[[str], None]


def ParserCreate(encoding: str | None, namespace_separator: str | None) -> GuardedParser:  # noqa: N802
    """Create a parser: the function that xmltodict calls on `xml.parsers.expat`."""
    return GuardedParser(encoding, namespace_separator)


class GuardedParser:
    """An expat parser with limits. Every attribute that xmltodict sets is set on expat's own parser."""

    __slots__ = ("_expat", "_limits")
    _expat: expat.XMLParserType
    _limits: Limits

    def __init__(self, encoding: str | None, namespace_separator: str | None) -> None:
        parser = expat.ParserCreate(encoding, namespace_separator)
        parser.StartDoctypeDeclHandler = _reject_doctype
        parser.ProcessingInstructionHandler = _reject_processing_instruction
        object.__setattr__(self, "_expat", parser)
        object.__setattr__(self, "_limits", Limits())

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "StartElementHandler":
            value = self._limits.wrap_start(value)
        elif name == "EndElementHandler":
            value = self._limits.wrap_end(value)
        setattr(self._expat, name, value)

    def Parse(self, data: bytes, is_final: bool) -> int:  # noqa: N802
        """Parse `data`: the method that xmltodict calls."""
        return self._expat.Parse(data, is_final)


class Limits:
    """The current depth and the number of elements so far, checked at each start of an element."""

    __slots__ = ("depth", "elements")

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def wrap_start(self, handler: StartHandler) -> StartHandler:
        """Return a handler that checks the limits, then calls `handler`."""

        def checked(name: str, attributes: list[str]) -> None:
            self.depth += 1
            self.elements += 1
            if self.depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
                raise invalid_body(
                    f"has more than {MAX_ELEMENTS} elements, or more than {MAX_DEPTH} nested ones: "
                    "send only the five fields"
                )
            handler(name, attributes)

        return checked

    def wrap_end(self, handler: EndHandler) -> EndHandler:
        """Return a handler that counts the element as closed, then calls `handler`."""

        def counted(name: str) -> None:
            self.depth -= 1
            handler(name)

        return counted


def _reject_doctype(*_: object) -> NoReturn:
    raise invalid_body("has a DOCTYPE, which is not supported: remove it")


def _reject_processing_instruction(*_: object) -> NoReturn:
    raise invalid_body("has a processing instruction, which is not supported: remove it")

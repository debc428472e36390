"""A stand-in for `xml.parsers.expat`, for xmltodict: what no request needs is refused as soon as it is met.

DOCTYPE is refused first, so that no entity is ever declared, let alone expanded; processing instructions too.
Depth and number of elements are bounded. Each refusal is a `Refused` (400).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn
from xml.parsers import expat

from wire.problems import unreadable

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 1_000

Start = Callable[[str, list[str]], None]
End = Callable[[str], None]


def ParserCreate(encoding: str | None, namespace_separator: str | None) -> GuardedParser:  # noqa: N802
    """As expat's own."""
    return GuardedParser(encoding, namespace_separator)


class GuardedParser:
    """An expat parser that refuses; whatever xmltodict sets on it reaches expat, the element handlers counted."""

    __slots__ = ("_bounds", "_expat")
    _bounds: Bounds
    _expat: expat.XMLParserType

    def __init__(self, encoding: str | None, namespace_separator: str | None) -> None:
        parser = expat.ParserCreate(encoding, namespace_separator)
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.ProcessingInstructionHandler = _refuse_instruction
        object.__setattr__(self, "_expat", parser)
        object.__setattr__(self, "_bounds", Bounds())

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "StartElementHandler":
            value = self._bounds.on_start(value)
        elif name == "EndElementHandler":
            value = self._bounds.on_end(value)
        setattr(self._expat, name, value)

    def Parse(self, data: bytes, is_final: bool) -> int:  # noqa: N802
        """As expat's own."""
        return self._expat.Parse(data, is_final)


class Bounds:
    """Counts elements as they open and close."""

    __slots__ = ("depth", "elements")

    def __init__(self) -> None:
        self.depth = self.elements = 0

    def on_start(self, start: Start) -> Start:
        def counted(name: str, attributes: list[str]) -> None:
            self.depth += 1
            self.elements += 1
            if self.depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
                raise unreadable(
                    f"has over {MAX_ELEMENTS} elements, or over {MAX_DEPTH} inside each other: send the five members"
                )
            start(name, attributes)

        return counted

    def on_end(self, end: End) -> End:
        def counted(name: str) -> None:
            self.depth -= 1
            end(name)

        return counted


def _refuse_doctype(*_: object) -> NoReturn:
    raise unreadable("has a DOCTYPE, which is never read: leave it out")


def _refuse_instruction(*_: object) -> NoReturn:
    raise unreadable("has a processing instruction, which is never read: leave it out")

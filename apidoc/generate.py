"""The generated files, as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from apidoc.document import document
from apidoc.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parent.parent
_HEAD: Final = "# Generated from the code by `make docs`: change that, not this.\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks; nothing by alias."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def openapi() -> str:
    """`docs/openapi.yaml`."""
    return _HEAD + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def help_page() -> str:
    """The help page, beside the function that serves it."""
    return Page(document()).html()


FILES: Final[dict[str, Callable[[], str]]] = {
    "docs/openapi.yaml": openapi,
    "functions/help_page/help.html": help_page,
}
"""What each generated file holds, by its path in the project."""

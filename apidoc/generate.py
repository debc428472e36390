"""The generated files and the functions that render them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from apidoc.document import build_document
from apidoc.page import render_page

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parent.parent
_HEADER: Final = "# Generated from the code by `make docs`. Change the code, not this file.\n"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as literal blocks, and never writes aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def render_openapi() -> str:
    """Return the text of `docs/openapi.yaml`."""
    document = build_document()
    return _HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def render_help_page() -> str:
    """Return the help page, which is stored beside the function that serves it."""
    return render_page(build_document())


FILES: Final[dict[str, Callable[[], str]]] = {
    "docs/openapi.yaml": render_openapi,
    "functions/help_page/help.html": render_help_page,
}
"""The function that renders each generated file, by the file's path in the project."""

"""The help page on the local stack, as a deployment with ServeDocs serves it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from local.server import Request, Response, message

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
)
_PAGE = Path(__file__).parent.parent / "functions" / "help_page" / "help.html"
_FIELD = 'name="{}" value="{}"'
_DEFAULTS = {"serverIpAddress": "127.0.0.1", "serverRestApiPort": "9080"}


def pages(rest_port: int, address: str) -> dict[str, Callable[[Request], Response]]:
    """Return the page by its path. Its form names the OCPP server at this address and port."""
    values = {"serverIpAddress": address, "serverRestApiPort": str(rest_port)}

    def help_page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return message(HTTPStatus.METHOD_NOT_ALLOWED)
        text = _PAGE.read_text(encoding="utf-8")
        for name, default in _DEFAULTS.items():
            text = text.replace(_FIELD.format(name, default), _FIELD.format(name, values[name]))
        return Response(200, _HEADERS, text.encode())

    return {"/docs": help_page}

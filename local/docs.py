"""The help page on the local stack, as a deployment with ServeDocs answers it."""

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
_USUAL = {"serverIpAddress": "127.0.0.1", "serverRestApiPort": "9080"}


def pages(rest_port: int, address: str) -> dict[str, Callable[[Request], Response]]:
    """`/docs`, by path; its form names the OCPP server at this address and port."""
    shown = {"serverIpAddress": address, "serverRestApiPort": str(rest_port)}

    def help_page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return message(HTTPStatus.METHOD_NOT_ALLOWED)
        text = _PAGE.read_text(encoding="utf-8")
        for name, usual in _USUAL.items():
            text = text.replace(_FIELD.format(name, usual), _FIELD.format(name, shown[name]))
        return Response(200, _HEADERS, text.encode())

    return {"/docs": help_page}

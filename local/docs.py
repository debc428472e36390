"""The help page on the local stack, as a deployment with ServeDocs answers it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from local.server import Request, Response, message

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE = Path(__file__).parent.parent / "functions" / "help_page" / "help.html"


def pages() -> dict[str, Callable[[Request], Response]]:
    """`/docs`, by path."""
    return {"/docs": _help}


def _help(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return message(HTTPStatus.METHOD_NOT_ALLOWED)
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Response(200, headers, _PAGE.read_bytes())

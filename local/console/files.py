"""The files of the console's front end, as pages."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from local.server import Request, Response, message

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_SCRIPT = re.compile(r"<script[^>]*>([^<]+)</script>")


def files() -> dict[str, Callable[[Request], Response]]:
    """Return a page per file: ``/`` is index.html, every other path begins with ``/console/``. Each request reads the file."""
    found = [path for folder in ("static", "vendor") for path in (FOLDER / folder).iterdir()]
    pages = {f"/console/{path.name}": _page(path) for path in found if path.suffix in _TYPES}
    pages["/"] = pages.pop("/console/index.html")
    return pages


def _page(path: Path) -> Callable[[Request], Response]:
    def page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return message(HTTPStatus.METHOD_NOT_ALLOWED)
        text = path.read_text(encoding="utf-8")
        headers = [("Content-Type", _TYPES[path.suffix]), ("Cache-Control", "no-cache")]
        if path.suffix == ".html":
            headers.append(("Content-Security-Policy", _policy(text)))
        return Response(200, headers, text.encode())

    return page


def _policy(html: str) -> str:
    """Return a Content-Security-Policy that allows files of this origin, and the inline scripts (the import map) by their hashes."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(html)]
    inline = "".join(f" 'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self'{inline}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

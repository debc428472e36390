"""The Lambda entry point. `help.html` is generated: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_RESPONSE = {
    "statusCode": 200,
    "headers": {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
    },
    "body": (Path(__file__).parent / "help.html").read_text(encoding="utf-8"),
    "isBase64Encoded": False,
}


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    return _RESPONSE

"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import Any

from startup import starting

with starting():
    from authorizer.handler import respond
    from settings.access import AccessSettings

    _settings = AccessSettings.read(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    if "preflight" in event:  # never from the gateway; it needs nothing but its settings, and has read them
        return {"failures": []}
    return respond(event, _settings)

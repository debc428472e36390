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
    return respond(event, _settings)

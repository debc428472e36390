"""The Lambda entry point, called by CodeDeploy before traffic shifts."""

from __future__ import annotations

import os
from typing import Any

from preflight.handler import respond
from settings.preflight import PreflightSettings

_settings = PreflightSettings.read(os.environ)


def handler(event: dict[str, str], _context: object) -> dict[str, Any]:
    return respond(event, _settings)

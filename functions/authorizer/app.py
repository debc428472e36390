"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.startup import starting

with starting():
    from authorizer.handler import respond
    from common.settings.access import AccessSettings

    _settings = AccessSettings.read(os.environ)

if TYPE_CHECKING:
    from common.edge import Context


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    if "preflight" in event:  # never from the gateway; it needs nothing but its settings, and has read them
        return {"failures": []}
    return respond(event, context, _settings)

"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import Any

from callback.handler import Context, respond
from callback.service import Service

_service = Service.of(os.environ)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    if "preflight" in event:  # never from the gateway, whose events have other members
        from callback.preflight import failures

        return {"failures": failures(_service)}
    return respond(event, context, _service)

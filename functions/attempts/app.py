"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.startup import starting

with starting():
    from attempts.handler import respond
    from attempts.service import Service

    _service = Service.of(os.environ)

if TYPE_CHECKING:
    from common.edge import Context


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    if "preflight" in event:  # never from the gateway, whose events have other members
        from attempts.preflight import failures
        from common.edge import check

        return check(lambda: failures(_service), context)
    return respond(event, context, _service)

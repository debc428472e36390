"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.startup import starting

with starting():
    from common.edge.entry_point import invoke
    from resolve.handler import failures, respond
    from resolve.service import Service

    _service = Service.of(os.environ)

if TYPE_CHECKING:
    from common.edge.lambda_types import Context


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    return invoke(event, context, _service, respond, failures)

"""The Lambda entry point: CodeDeploy invokes it before traffic shifts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.settings.preflight import PreflightSettings
from preflight.handler import respond

if TYPE_CHECKING:
    from common.edge.lambda_types import Context

_settings = PreflightSettings.read(os.environ)


def handler(event: dict[str, str], context: Context) -> dict[str, Any]:
    return respond(event, context, _settings)

"""The Lambda entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.startup import starting

with starting():
    from attempts.handler import failures, respond
    from common.edge.entry_point import invoke
    from common.edge.journal_access import open_journal
    from common.settings import Settings

    _service = open_journal(Settings.read(os.environ), os.environ)

if TYPE_CHECKING:
    from common.edge.lambda_types import Context


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    return invoke(event, context, _service, respond, failures)

"""Run the real sweep without a scheduler."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import resolve.handler
import resolve.service
from common.aws.credentials import from_environment
from common.journal import DynamoDB, Journal
from tests.integration.calling import SECRET, Context

if TYPE_CHECKING:
    from local.table import TableServer


def sweep(table: TableServer, entry: dict[str, Any], later: float) -> None:
    """Sweep once, at a clock that is `later` seconds ahead, in a new process's state; `entry` is the server's in LinkServers."""
    environ = {**table.environment(), "JOURNAL_SECRET": SECRET, "LINK_SERVERS": json.dumps([entry])}
    with closing(DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))) as dynamodb:
        journal = Journal(dynamodb, table.name, clock=lambda: time.time() + later)
        with closing(resolve.service.Service.of(environ)) as service:
            context = Context(50.0, function_name="ResolveFunction")
            result = resolve.handler.respond({"sweep": True}, context, service._replace(journal=journal))
    assert "failed" not in result

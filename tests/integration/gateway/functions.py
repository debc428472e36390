"""The real handlers, with the test's table and link."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import attempts.handler
import callback.handler
import callback.service
import charger_connect.handler
import charger_connect.service
from common.aws.credentials import from_environment
from common.journal import DynamoDB, Journal
from local.invokers import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charger_link import Link
    from local.gateway import Invoker
    from local.table import TableServer


@contextmanager
def real_functions(
    table: TableServer,
    link_servers: list[dict[str, Any]],
    *,
    settings: Mapping[str, str] | None = None,
    link: Link | None = None,
) -> Iterator[Invoker]:
    """Invoke all functions in this process. `link` replaces the one that calls OCPP servers."""
    environment = {
        **table.environment(),
        "JOURNAL_SECRET": "a secret of the tests",
        "LINK_SERVERS": json.dumps(link_servers),
        **(settings or {}),
    }
    service = charger_connect.service.Service.of(environment)
    dynamodb = DynamoDB(table.url, environment["AWS_REGION"], from_environment(environment))
    service = replace(
        service,
        journal=Journal(dynamodb, table.name, repeatable=["native"]),
        link=link or service.link,
    )
    reading = Journal(dynamodb, table.name)
    hearing = callback.service.Service(Journal(dynamodb, table.name), service.secret)
    handlers = {
        "ConnectFunction": lambda event, context: charger_connect.handler.respond(event, context, service),
        "AttemptsFunction": lambda event, context: attempts.handler.respond(event, context, reading),
        "CallbackFunction": lambda event, context: callback.handler.respond(event, context, hearing),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "charger-connect")
        yield in_process(handlers)
    dynamodb.close()

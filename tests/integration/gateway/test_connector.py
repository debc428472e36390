"""The query parameter `connectorId` on its way from the client to the OCPP server."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from local import template
from local.gateway import serve
from tests.integration.calling import LOOPBACK, PATH, request
from tests.integration.gateway.functions import real_functions
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from local.table import TableServer


@pytest.mark.parametrize(
    ("query", "status", "connector"),
    [
        ("?connectorId=2", 200, 2),
        ("?ConnectorID=2", 200, 2),
        ("?%43onnectorid=2", 200, 2),
        ("?connectorId=2&CONNECTORID=2", 200, 2),
        ("?connectorId=1&CONNECTORID=2", 400, None),
        ("?ConnectorID=x", 400, None),
        ("", 200, None),
    ],
)
def test_a_start_names_the_connector_that_the_query_names_in_any_letter_case(
    table: TableServer, query: str, status: int, connector: int | None
) -> None:
    with (
        closing(Misbehaving(responds_with())) as server,
        real_functions(table, [LOOPBACK]) as invoke,
        closing(serve(template.read().routes, invoke)) as gateway,
        closing(HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as connection,
    ):
        body = json.dumps(request(server.port))
        connection.request("POST", PATH + query, body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == status
        assert [json.loads(asked.body).get("connectorId") for asked in server.requests] == (
            [connector] if status == 200 else []
        )

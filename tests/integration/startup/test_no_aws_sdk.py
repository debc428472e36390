"""No function that answers requests imports the AWS SDK, which would be most of a cold start; neither at start nor in a request."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from local.table import start_table
from scripts.import_roots import import_roots
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

# Powertools' Logger imports the empty package `botocore` alone, to name itself in the User-Agent of its clients.
SDK = re.compile(
    r"(boto3|botocore\..+|s3transfer|urllib3|aws_lambda_powertools\.utilities\.parameters)(\..+)?"
)
SCRIPT = """
import json, sys
from importlib import import_module

class Context:
    aws_request_id, function_name, function_version = "r", "F", "1"
    def get_remaining_time_in_millis(self):
        return 29_000

handler = import_module(sys.argv[1]).handler
for event in json.loads(sys.argv[2]):
    handler(event, Context())
sys.stderr.write("\\nMODULES " + " ".join(sys.modules) + "\\n")
"""
GETS = {
    "routeKey": "GET /api/v1/ocpp/charger-connect/{id}",
    "pathParameters": {"id": "a3bb189e-8bf9-3888-9912-ace4e6543002"},
}


@pytest.fixture(scope="module")
def table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


def imported(table: TableServer, module: str, *events: dict[str, Any], **variables: str) -> list[str]:
    """Return the modules of a process that imported the function and answered the events."""
    environment = {
        "PYTHONPATH": ":".join(map(str, import_roots())),
        "JOURNAL_SECRET": "a secret of the tests",
        "ALLOWED_SOURCES": "203.0.113.0/24",
        "POWERTOOLS_METRICS_NAMESPACE": "ChargerConnect",
        "POWERTOOLS_SERVICE_NAME": "charger-connect",
        **table.environment(),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, module, json.dumps(events)],
        env=environment,
        capture_output=True,
        text=True,
    )
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("MODULES ")] or [done.stderr]
    assert done.returncode == 0, done.stderr
    return line.split()


def sdk_of(modules: list[str]) -> list[str]:
    """Return those of the modules that belong to the AWS SDK."""
    return [module for module in modules if SDK.fullmatch(module)]


@pytest.mark.parametrize(
    ("function", "events"),
    [
        ("attempts", [GETS, {"preflight": True}]),
        ("callback", [{"pathParameters": {}}, {"preflight": True}]),
        ("authorizer", [{"requestContext": {"http": {"sourceIp": "203.0.113.7"}}, "headers": {}}]),
        ("help_page", [{"rawPath": "/docs", "headers": {}}]),
    ],
)
def test_a_function_answers_without_the_aws_sdk(
    function: str, events: list[dict[str, Any]], table: TableServer
) -> None:
    modules = imported(table, f"{function}.app", *events)
    assert f"{function}.app" in modules
    assert sdk_of(modules) == []


def test_a_connect_with_a_secret_and_servers_in_parameter_store_imports_no_aws_sdk(
    table: TableServer,
) -> None:
    with ExitStack() as stack:

        def serving(body: dict[str, Any]) -> Misbehaving:
            content = json.dumps(body).encode()
            return stack.enter_context(closing(Misbehaving(responds_with(body=content))))

        server = serving(
            {"chargerId": "CP-1", "connectorId": 1, "errorCode": "NoError", "status": "Accepted"}
        )
        entry = {"network": "127.0.0.0/8", "ports": [server.port], "scheme": "http", "secret": "csms"}
        parameters = serving({"Parameter": {"Value": json.dumps([entry])}})
        secrets = serving({"SecretString": '{"bearer": "abc"}'})
        body = {
            "id": "a3bb189e-8bf9-3888-9912-ace4e6543002",
            "chargerId": "CP-1",
            "tokenId": "04A2B3C4",
            "serverIpAddress": "127.0.0.1",
            "serverRestApiPort": server.port,
        }
        modules = imported(
            table,
            "charger_connect.app",
            {
                "headers": {"content-type": "application/json"},
                "requestContext": {"http": {"method": "POST"}},
                "body": json.dumps(body),
            },
            {"preflight": True},
            LINK_SERVERS="ssm:/servers",
            AWS_ENDPOINT_URL_SSM=f"http://127.0.0.1:{parameters.port}",
            AWS_ENDPOINT_URL_SECRETS_MANAGER=f"http://127.0.0.1:{secrets.port}",
        )
        assert [json.loads(request.body) for request in parameters.requests] == [
            {"Name": "/servers", "WithDecryption": True}
        ]
        assert [json.loads(request.body) for request in secrets.requests] == [{"SecretId": "csms"}]
        assert [request.headers["authorization"] for request in server.requests] == ["Bearer abc"]
    assert sdk_of(modules) == []


def test_the_preflight_function_is_what_still_uses_boto3(table: TableServer) -> None:
    assert "boto3" in sdk_of(imported(table, "preflight.app", VERSIONS="arn:aws:lambda:x"))

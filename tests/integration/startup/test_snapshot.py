"""SnapStart: one snapshot, restored twice (a fork copies the memory, too), with the hooks of Lambda's runtime client."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.table import start_table
from scripts.import_roots import import_roots
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, os, random, sys
from pathlib import Path
from uuid import uuid4
from awslambdaric import lambda_runtime_hooks_runner as hooks
from charger_connect.app import handler

class Context:
    aws_request_id, function_name, function_version = "r", "ConnectFunction", "1"
    def get_remaining_time_in_millis(self):
        return 29_000

def connect(port):
    body = {"id": str(uuid4()), "chargerId": "CP-1", "tokenId": "04A2B3C4", "serverIpAddress": "127.0.0.1", "serverRestApiPort": port}
    event = {"headers": {"content-type": "application/json"}, "body": json.dumps(body)}
    return handler(event, Context())["statusCode"]

def sockets():
    return sum(os.readlink(f"/proc/self/fd/{fd}").startswith("socket:") for fd in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{fd}").exists())

def report(**words):
    sys.stderr.write("REPORT " + json.dumps(words) + "\\n")

report(step="started", sockets=sockets())
report(step="warmed", status=connect(1), sockets=sockets())
hooks.run_before_snapshot()
report(step="snapshot", sockets=sockets())
for port in (2, 3):  # nothing listens there; each has a circuit of its own
    if not os.fork():
        hooks.run_after_restore()
        report(step="restored", jitter=random.random(), status=connect(port))
        os._exit(0)
    os.wait()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts sockets in /proc")


@pytest.fixture(scope="module")
def table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.fixture(scope="module")
def reported(table: TableServer) -> dict[str, list[dict[str, Any]]]:
    """What the process and its copies reported, by step."""
    keys = {
        "AccessKeyId": "local",
        "SecretAccessKey": "s",
        "Token": "t",
        "Expiration": "2199-01-01T00:00:00Z",
    }
    with closing(Misbehaving(responds_with(body=json.dumps(keys).encode()))) as endpoint:
        environment = {
            "PYTHONPATH": ":".join(map(str, import_roots())),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{endpoint.port}/credentials",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_DYNAMODB": table.url,
            "TABLE_NAME": table.name,
            "JOURNAL_SECRET": "a secret for tests",
            "LINK_SERVERS": '[{"network":"127.0.0.0/8","ports":["1-3"],"scheme":"http"}]',
            "POWERTOOLS_METRICS_NAMESPACE": "ChargerConnect",
            "POWERTOOLS_SERVICE_NAME": "charger-connect",
        }
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    steps: dict[str, list[dict[str, Any]]] = {}
    for line in done.stderr.splitlines():
        word, _, words = line.partition(" ")
        if word == "REPORT":
            steps.setdefault(json.loads(words)["step"], []).append(json.loads(words))
    assert "restored" in steps, done.stderr
    return steps


def test_no_connection_is_opened_during_the_start(reported: dict[str, list[dict[str, Any]]]) -> None:
    assert reported["started"][0]["sockets"] == 0


def test_a_connection_is_closed_before_the_snapshot(reported: dict[str, list[dict[str, Any]]]) -> None:
    assert reported["warmed"][0]["sockets"] == 1
    assert reported["snapshot"][0]["sockets"] == 0


def test_two_restored_processes_differ(reported: dict[str, list[dict[str, Any]]], table: TableServer) -> None:
    one, other = reported["restored"]
    assert one["status"] == other["status"] == 502
    assert one["jitter"] != other["jitter"]
    items = table.items()
    assert len({item["owner"]["S"] for item in items}) == len(items) == 3

"""CPU time of the same conditional write with the journal's own DynamoDB client and with boto3's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.function_process import environment
from benchmarks.programs import FUNCTION

if TYPE_CHECKING:
    from benchmarks.endpoints import Endpoints
    from benchmarks.programs import Program

_OWN = """
from common.journal.dynamodb import DynamoDB
from common.transport import Deadline
from common.aws.credentials import from_environment
client = DynamoDB(os.environ["AWS_ENDPOINT_URL_DYNAMODB"], os.environ["AWS_REGION"], from_environment(os.environ))
def write():
    client.call("UpdateItem", body, Deadline.after(5))
"""
_BOTO3 = """
import boto3
client = boto3.client("dynamodb")
def write():
    client.update_item(**body)
"""
_SCRIPT = """
import json, os, time
body = {
    "TableName": "attempts",
    "Key": {"id": {"S": "1"}},
    "UpdateExpression": "SET #state = :completed",
    "ConditionExpression": "#state = :pending",
    "ExpressionAttributeNames": {"#state": "state"},
    "ExpressionAttributeValues": {":completed": {"S": "completed"}, ":pending": {"S": "pending"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
CLIENT
write()
first = time.process_time()
for _ in range(CALLS):
    write()
print(json.dumps({"first": first, "call": (time.process_time() - first) / CALLS}))
"""


def measure(service: Program, endpoints: Endpoints, runs: int, calls: int) -> dict[str, dict[str, float]]:
    """Return medians by client, in CPU milliseconds: `first`, of a process until its first response, and `call`, of a later write."""
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(runs):
        for name, client in (("own", _OWN), ("boto3", _BOTO3)):
            for figure, seconds in _run(service, endpoints, client, calls).items():
                found.setdefault(name, {}).setdefault(figure, []).append(seconds * 1000)
    return {
        name: {figure: round(median(values), 3) for figure, values in by_figure.items()}
        for name, by_figure in found.items()
    }


def _run(service: Program, endpoints: Endpoints, client: str, calls: int) -> dict[str, float]:
    script = _SCRIPT.replace("CLIENT", client).replace("CALLS", str(calls))
    completed = subprocess.run(
        [str(Path(sys.executable).resolve()), "-S", "-c", script],
        env=environment(service, endpoints.variables()),
        cwd=service.artefact / FUNCTION,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds: dict[str, float] = json.loads(completed.stdout)
    return seconds

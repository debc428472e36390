"""From CodeDeploy's event to its verdict.

A version that cannot even start, for a setting that it cannot read, answers with a function error; one that starts
says itself what it cannot reach, with its own rights and from its own network.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.logging import Logger
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.preflight import PreflightSettings

_log = Logger(utc=True)
_PATIENCE = Config(connect_timeout=3, read_timeout=35, retries={"mode": "standard", "total_max_attempts": 3})


def respond(event: Mapping[str, str], settings: PreflightSettings) -> dict[str, Any]:
    """Ask each new version, and tell CodeDeploy ``Succeeded`` or ``Failed``; the answer is for whoever calls by hand."""
    found = {version: _failures(version) for version in settings.versions}
    failures = {version: why for version, why in found.items() if why}
    status = "Failed" if failures else "Succeeded"
    _log.info("preflight", extra={"status": status, "failures": failures})
    with closing(boto3.client("codedeploy", config=_PATIENCE)) as codedeploy:
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
    return {"status": status, "failures": failures}


def _failures(version: str) -> list[str]:
    """What a version says it cannot reach, or why it says nothing."""
    try:
        with closing(boto3.client("lambda", config=_PATIENCE)) as functions:
            answer = functions.invoke(FunctionName=version, Payload=json.dumps({"preflight": True}))
            said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return [f"does not start: {said.get('errorType')}: {said.get('errorMessage')}"]
        return [str(failure) for failure in said["failures"]]
    except Exception as error:  # noqa: BLE001 - whatever it is, CodeDeploy must hear that the check failed
        return [f"could not be asked: {type(error).__name__}: {error}"]

"""Check the new versions for CodeDeploy, and report the result to it.

Each version is invoked directly. One that cannot start, because of a wrong setting, returns a function error. One that starts
returns what it cannot reach, with its own rights and from its own network.
An exception in this function is reported to CodeDeploy as a failed check.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.logging import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

from common.edge.guard import causes, run_guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.edge.lambda_types import Context
    from common.settings.preflight import PreflightSettings

_log = Logger(utc=True)
_CONFIG = Config(connect_timeout=3, read_timeout=35, retries={"mode": "standard", "total_max_attempts": 3})

# Exceptions whose messages name a setting and never its secret value; the others' messages stay in the version's own log.
_OUR_ERRORS = ("SettingsError", "LinkServersError", "CredentialsError")
_LAMBDA_ERRORS = ("Runtime.", "Sandbox.")  # Lambda's own: no memory, no time, no handler
_CHECK_CRASHED: dict[str, Any] = {
    "status": "Failed",
    "failures": {"preflight": ["the check itself failed: see crashed in its log"]},
}


def respond(event: Mapping[str, str], context: Context, settings: PreflightSettings) -> dict[str, Any]:
    """Check each new version, report ``Succeeded`` or ``Failed`` to CodeDeploy, and return what was found.

    Raises
    ------
    Crashed
        The report to CodeDeploy failed; CodeDeploy counts a check without a report as failed.
    """
    verdict = run_guarded(lambda: _check(settings), context, lambda: _CHECK_CRASHED)
    _log.info("preflight", extra=verdict)
    return run_guarded(lambda: _report(event, verdict), context)


def _check(settings: PreflightSettings) -> dict[str, Any]:
    found = {version: _failures(version) for version in settings.versions}
    failures = {version: why for version, why in found.items() if why}
    return {"status": "Failed" if failures else "Succeeded", "failures": failures}


def _report(event: Mapping[str, str], verdict: dict[str, Any]) -> dict[str, Any]:
    with closing(boto3.client("codedeploy", config=_CONFIG)) as codedeploy:
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=verdict["status"],
        )
    return verdict


def _failures(version: str) -> list[str]:
    """Return what a version cannot reach, or why its response is missing."""
    try:
        with closing(boto3.client("lambda", config=_CONFIG)) as functions:
            answer = functions.invoke(FunctionName=version, Payload=json.dumps({"preflight": True}))
            document = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return [f"does not start: {_reason(document)}"]
        return [str(failure) for failure in document["failures"]]
    except Exception as error:  # noqa: BLE001 - whatever it is, CodeDeploy must receive that the check failed
        _log.error("version not checked", extra={"version": version, "causes": causes(error)})
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return [f"could not be asked: {code}"]


def _reason(document: Mapping[str, Any]) -> str:
    """Return the type of a function error, with its message if the message cannot hold a secret or a token."""
    kind = str(document.get("errorType"))
    if kind in _OUR_ERRORS or kind.startswith(_LAMBDA_ERRORS):
        return f"{kind}: {document.get('errorMessage')}"
    return f"{kind}: see the log of this version"

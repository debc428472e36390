"""Run checkov, offline, on the transformed template.yaml and the nested templates, and compare with the accepted findings.

python -m scripts.policies .venv-audit/bin/checkov      prints new findings and accepted ones that are gone; exits 1 if there are any
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.transform import load, load_nested, transform

_AWAITED = "every caller waits for the response, so no event is left for a dead-letter queue"
_OUTSIDE = "calls only AWS; in a VPC it would need a route out"
_SHARED = "uses unreserved concurrency; only the connect function can reserve some (ReservedConcurrency)"

# (check, logical id): the reason for which we accept it.
ACCEPTED: dict[tuple[str, str], str] = {
    (
        "CKV_AWS_119",
        "AttemptsTable",
    ): "KmsKeyArn sets a customer managed key; the default is a key of AWS",
    (
        "CKV_AWS_23",
        "LinkSecurityGroup",
    ): "each rule has its description, inside Fn::If, where checkov does not look",
    (
        "CKV_AWS_111",
        "NetworkPolicy",
    ): "Lambda needs it for network interfaces, which have no ARN before they exist",
    ("CKV_AWS_116", "ConnectFunction"): _AWAITED,
    ("CKV_AWS_116", "AttemptsFunction"): _AWAITED,
    ("CKV_AWS_116", "CallbackFunction"): _AWAITED,
    (
        "CKV_AWS_116",
        "PreflightFunction",
    ): "CodeDeploy, which calls it, treats a missing response as a failure",
    ("CKV_AWS_116", "AuthorizerFunction"): _AWAITED,
    ("CKV_AWS_116", "HelpFunction"): _AWAITED,
    (
        "CKV_AWS_116",
        "ResolveFunction",
    ): "the next minute's invocation does the work of one that failed, and alarms notice a sweep that does not run",
    (
        "CKV_AWS_27",
        "LostChanges",
    ): "SqsManagedSseEnabled encrypts it, which checkov does not know; it contains no data of an attempt",
    ("CKV_AWS_117", "HelpFunction"): _OUTSIDE,
    ("CKV_AWS_117", "AttemptsFunction"): _OUTSIDE,
    ("CKV_AWS_117", "CallbackFunction"): _OUTSIDE,
    ("CKV_AWS_117", "PreflightFunction"): _OUTSIDE,
    ("CKV_AWS_117", "AuthorizerFunction"): _OUTSIDE,
    ("CKV_AWS_115", "HelpFunction"): _SHARED,
    ("CKV_AWS_115", "AttemptsFunction"): _SHARED,
    ("CKV_AWS_115", "CallbackFunction"): _SHARED,
    ("CKV_AWS_115", "PreflightFunction"): _SHARED,
    ("CKV_AWS_115", "AuthorizerFunction"): _SHARED,
    ("CKV_AWS_115", "ResolveFunction"): _SHARED,
}


def failed(checkov: str) -> set[tuple[str, str]]:
    """Return checkov's findings as pairs of check and logical id. Raises CalledProcessError, ValueError."""
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for name, template in _scanned().items():
            paths += ["--file", str(Path(directory) / f"{name}.json")]
            Path(paths[-1]).write_text(json.dumps(template))
        command = [
            checkov,
            "--skip-download",
            "--framework",
            "cloudformation",
            "--output",
            "json",
            "--soft-fail",
        ]
        result = subprocess.run(  # noqa: S603 - the program that make installed
            [*command, *paths], capture_output=True, text=True, check=True
        )
    report: dict[str, Any] = json.loads(result.stdout)
    if not report["summary"]["passed"] or report["summary"]["parsing_errors"]:
        raise ValueError(f"checkov did not read the templates: {report['summary']}")
    return {
        (check["check_id"], check["resource"].rpartition(".")[2])
        for check in report["results"]["failed_checks"]
    }


def _scanned() -> dict[str, dict[str, Any]]:
    """Return every template by name, without conditions: checkov skips a resource whose condition is false by default."""
    source = load()
    templates = {"template": transform(source)} | load_nested(source)
    for template in templates.values():
        for resource in template["Resources"].values():
            resource.pop("Condition", None)
    return templates


def main() -> int:
    found = failed(sys.argv[1])
    for check, resource in sorted(found - set(ACCEPTED)):
        print(f"{check} at {resource} is new")
    for check, resource in sorted(set(ACCEPTED) - found):
        print(f"{check} at {resource} is no longer found: take it out of scripts/policies.py")
    if found != set(ACCEPTED):
        return 1
    print(f"checkov: {len(found)} findings, all of them accepted for a reason")
    return 0


if __name__ == "__main__":
    sys.exit(main())

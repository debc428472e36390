"""checkov, offline, on the transformed template; what it finds and we accept stands here, each with its reason.

python -m scripts.policies .venv-audit/bin/checkov      prints what is new, or no longer found, and exits 1 if there is anything
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.transform import load, transform

_AWAITED = "every caller waits for the answer, so no event is ever left over for a dead-letter queue"
_OUTSIDE = "calls nothing but AWS; in a VPC it would only need ways out of it"
_SHARED = (
    "takes what concurrency is left; only the connect function can have some set aside (ReservedConcurrency)"
)

# (check, logical id): why it is right as it is.
ACCEPTED: dict[tuple[str, str], str] = {
    (
        "CKV_AWS_119",
        "AttemptsTable",
    ): "a key of one's own is a parameter (KmsKeyArn); without it AWS's encrypts",
    (
        "CKV_AWS_23",
        "LinkSecurityGroup",
    ): "each rule has its description, inside Fn::If, where checkov does not look",
    (
        "CKV_AWS_111",
        "NetworkPolicy",
    ): "what Lambda needs for its network interfaces, which have no ARN before they exist",
    ("CKV_AWS_116", "ConnectFunction"): _AWAITED,
    ("CKV_AWS_116", "AttemptsFunction"): _AWAITED,
    ("CKV_AWS_116", "CallbackFunction"): _AWAITED,
    ("CKV_AWS_116", "PreflightFunction"): "CodeDeploy, which calls it, hears of no answer as of a failure",
    ("CKV_AWS_116", "AuthorizerFunction"): _AWAITED,
    ("CKV_AWS_116", "HelpFunction"): _AWAITED,
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
}


def failed(checkov: str) -> set[tuple[str, str]]:
    """What checkov says against the template: pairs of check and logical id. Raises CalledProcessError, ValueError."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "template.json"
        path.write_text(json.dumps(_scanned()))
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
            [*command, "--file", str(path)], capture_output=True, text=True, check=True
        )
    report: dict[str, Any] = json.loads(result.stdout)
    if not report["summary"]["passed"] or report["summary"]["parsing_errors"]:
        raise ValueError(f"checkov did not read the template: {report['summary']}")
    return {
        (check["check_id"], check["resource"].rpartition(".")[2])
        for check in report["results"]["failed_checks"]
    }


def _scanned() -> dict[str, Any]:
    """The template with every resource that some deployment has; checkov leaves out what a default's condition does."""
    template = transform(load())
    for resource in template["Resources"].values():
        resource.pop("Condition", None)
    return template


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

"""The table of attempts and the key of its fingerprints are kept together, and imported together into a new stack."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.import_template import IMPORTED, import_template
from scripts.lint_template import findings

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

ROOT = Path(__file__).parents[2]
KEY = "arn:aws:kms:eu-west-1:000000000000:key/0a-1b"


@pytest.mark.parametrize("policy", [None, "Retain", "Delete"])
def test_the_key_of_the_fingerprints_is_kept_as_long_as_the_table(deploy: Deploy, policy: str | None) -> None:
    resources = deploy(**({"TableDeletionPolicy": policy} if policy else {}))
    for name in ("AttemptsTable", "JournalSecret"):
        resource = resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy or "Retain",) * 2


@pytest.mark.parametrize("parameters", [{}, {"KmsKeyArn": KEY, "TableDeletionProtection": "false"}])
def test_the_imported_resources_equal_those_of_the_next_deployment(
    deploy: Deploy, parameters: dict[str, str]
) -> None:
    """A different property would be an update: CloudFormation makes a new secret if GenerateSecretString changes."""
    imported, deployed = import_template(parameters)["Resources"], deploy(**parameters)
    assert set(imported) == {"AttemptsTable", "JournalSecret"}
    for name, resource in imported.items():
        assert resource["Type"] == deployed[name]["Type"]
        assert resource["Properties"] == deployed[name]["Properties"]


def test_cloudformation_accepts_the_template_of_an_import() -> None:
    template = import_template({})
    assert set(template) == {"AWSTemplateFormatVersion", "Resources"}, "no transform: an import runs none"
    assert {resource["DeletionPolicy"] for resource in template["Resources"].values()} == {"Retain"}
    assert not [word for word in ("Ref", "Fn::") if f'"{word}' in json.dumps(template)]
    assert findings(template) == []


def test_an_unknown_parameter_is_rejected() -> None:
    with pytest.raises(KeyError):
        import_template({"KmsKey": KEY})


def test_the_command_of_the_runbook_prints_the_template() -> None:
    command = [sys.executable, "-m", "scripts.import_template", f"KmsKeyArn={KEY}"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == import_template({"KmsKeyArn": KEY})


def test_the_runbook_imports_both_resources_and_the_outputs_contain_them(source: dict[str, Any]) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "python -m scripts.import_template" in runbook
    for name in IMPORTED:
        assert f'"LogicalResourceId":"{name}"' in runbook
    values = [output["Value"] for output in source["Outputs"].values()]
    assert {"Ref": "AttemptsTable"} in values
    assert {"Ref": "JournalSecret"} in values

"""The table of attempts and the key of its fingerprints outlive a stack together, and go into a new one together."""

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
def test_what_is_imported_is_what_the_deployment_after_it_has(
    deploy: Deploy, parameters: dict[str, str]
) -> None:
    """Another property would be a change: one of GenerateSecretString makes a new secret."""
    imported, deployed = import_template(parameters)["Resources"], deploy(**parameters)
    assert set(imported) == {"AttemptsTable", "JournalSecret"}
    for name, resource in imported.items():
        assert resource["Type"] == deployed[name]["Type"]
        assert resource["Properties"] == deployed[name]["Properties"]


def test_the_template_of_an_import_is_one_that_cloudformation_takes() -> None:
    template = import_template({})
    assert set(template) == {"AWSTemplateFormatVersion", "Resources"}, "no transform: an import runs none"
    assert {resource["DeletionPolicy"] for resource in template["Resources"].values()} == {"Retain"}
    assert not [word for word in ("Ref", "Fn::") if f'"{word}' in json.dumps(template)]
    assert findings(template) == []


def test_a_parameter_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError):
        import_template({"KmsKey": KEY})


def test_the_command_of_the_runbook_prints_it() -> None:
    command = [sys.executable, "-m", "scripts.import_template", f"KmsKeyArn={KEY}"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == import_template({"KmsKeyArn": KEY})


def test_the_runbook_imports_both_and_the_outputs_name_them(source: dict[str, Any]) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "python -m scripts.import_template" in runbook
    for name in IMPORTED:
        assert f'"LogicalResourceId":"{name}"' in runbook
    values = [output["Value"] for output in source["Outputs"].values()]
    assert {"Ref": "AttemptsTable"} in values
    assert {"Ref": "JournalSecret"} in values

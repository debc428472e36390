"""The dependencies layer contains everything that the functions and layers need."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.import_roots import import_roots

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
OWN_PACKAGES = {path.name for root in import_roots() if root != ROOT for path in root.iterdir()}
PROVIDED_BY_LAMBDA = {"snapshot_restore_py"}  # Lambda provides it with the runtime, not in a layer

pytestmark = pytest.mark.artefact


def third_party_imports() -> Iterator[str]:
    """Return every import statement for a third-party package in functions and layers, also those inside functions."""
    for path in [*ROOT.glob("functions/**/*.py"), *ROOT.glob("layers/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            if (
                {module.partition(".")[0] for module in modules}
                - OWN_PACKAGES
                - PROVIDED_BY_LAMBDA
                - sys.stdlib_module_names
                - {"__future__"}
            ):
                yield ast.unparse(node)


def run(artefact: Path, script: str) -> None:
    path = artefact / "DependenciesLayer" / "python"
    environment = {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_layer_has_everything_that_is_imported(artefact: Path) -> None:
    statements = sorted(set(third_party_imports()))
    assert any("boto3" in statement for statement in statements)
    run(artefact, "\n".join(statements))


@pytest.mark.parametrize("service", ["codedeploy", "dynamodb", "lambda", "sts"])
def test_the_layer_has_the_service_description_of_each_called_service(artefact: Path, service: str) -> None:
    run(artefact, f"import boto3; boto3.client({service!r})")


def test_the_layer_has_what_pydantic_needs_to_build_a_model_and_to_report_errors(artefact: Path) -> None:
    run(
        artefact,
        "from pydantic import BaseModel, ValidationError\n"
        "class Model(BaseModel):\n    number: int\n    text: str | None = None\n"
        "try:\n    Model(number='x')\nexcept ValidationError as error:\n    assert error.errors()",
    )

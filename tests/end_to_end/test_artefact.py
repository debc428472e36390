"""The output of `make build`, which Lambda receives."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.artefact

CONTENTS = {
    "ConnectFunction": {"charger_connect"},
    "AttemptsFunction": {"attempts"},
    "CallbackFunction": {"callback"},
    "ResolveFunction": {"resolve"},
    "AuthorizerFunction": {"authorizer"},
    "PreflightFunction": {"preflight"},
    "HelpFunction": {"help_page"},
    "CommonLayer/python": {"common"},
    "ChargerLinkLayer/python": {"charger_link"},
}
DIRECTORIES = [*CONTENTS, "DependenciesLayer/python"]
NESTED = {"Events", "Monitoring", "Roles", "Rollout", "Routes", "Schedule"}
UNCHECKED_HASH = 1


def test_the_artefact_has_the_functions_and_layers_of_the_template(artefact: Path) -> None:
    assert {path.name for path in artefact.iterdir()} == {"template.yaml"} | NESTED | {
        directory.split("/")[0] for directory in DIRECTORIES
    }
    for stack in NESTED:
        assert f"TemplateURL: {stack}/template.yaml" in (artefact / "template.yaml").read_text()
        assert {path.name for path in (artefact / stack).iterdir()} == {"template.yaml"}


@pytest.mark.parametrize(("directory", "packages"), CONTENTS.items())
def test_each_function_and_layer_contains_only_its_own_packages(
    artefact: Path, directory: str, packages: set[str]
) -> None:
    assert {path.name for path in (artefact / directory).iterdir()} == packages


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_module_has_bytecode_that_python_does_not_check_against_the_source(
    artefact: Path, directory: str
) -> None:
    sources = list((artefact / directory).rglob("*.py"))
    assert sources
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(compiled[4:8], "little") == UNCHECKED_HASH, source


def test_tracebacks_contain_the_paths_in_lambda(artefact: Path) -> None:
    for directory, path in (("ConnectFunction", b"/var/task/"), ("CommonLayer/python", b"/opt/python/")):
        for compiled in (artefact / directory).rglob("*.pyc"):
            assert str(artefact).encode() not in compiled.read_bytes(), compiled
            assert path in compiled.read_bytes(), compiled


def test_the_sdk_has_the_endpoints_of_every_service_that_is_called(artefact: Path) -> None:
    program = """
import boto3
services = ["codedeploy", "dynamodb", "lambda", "sts"]
for service in services:
    for region, host in (("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")):
        client = boto3.client(service, region, aws_access_key_id="x", aws_secret_access_key="x")
        assert client.meta.endpoint_url == f"https://{service}.{region}.{host}", client.meta.endpoint_url
assert sorted(boto3.session.Session().get_available_services()) == services
boto3.resource("dynamodb", "eu-west-1").Table("attempts")
"""
    subprocess.run(
        [str(Path(sys.executable).resolve()), "-S", "-c", program],
        env={"PYTHONPATH": str(artefact / "DependenciesLayer/python"), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )

"""The checks before traffic shifts, and the authorizer, in the built functions in Lambda's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Deployment

pytestmark = pytest.mark.artefact


@pytest.mark.parametrize(
    "function", ["ConnectFunction", "AttemptsFunction", "CallbackFunction", "ResolveFunction"]
)
def test_a_built_function_reports_that_its_dependencies_are_reachable(
    deployment: Deployment, function: str
) -> None:
    before = deployment.table.items()
    assert deployment.functions[function].invoke({"preflight": True}) == {"failures": []}
    assert deployment.table.items() == before


def test_a_built_function_reports_an_unreachable_dependency(deployment: Deployment, artefact: Path) -> None:
    missing_table = deployment.table.environment() | {"TABLE_NAME": "missing"}
    with Emulator("AttemptsFunction", missing_table, artefact=artefact) as function:
        assert function.invoke({"preflight": True}) == {"failures": ["table: ResourceNotFoundException"]}


def test_the_hook_starts_and_logs_why_the_check_failed(artefact: Path) -> None:
    closed_endpoints = {
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_CODEDEPLOY": "http://127.0.0.1:9",
    }
    with Emulator("PreflightFunction", {"VERSIONS": "one", **closed_endpoints}, artefact=artefact) as hook:
        result = hook.invoke({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"})
        assert result["errorType"] == "Crashed", "the hook could not report to CodeDeploy either"
        assert "could not be asked: EndpointConnectionError" in hook.output()


def test_the_authorizer_starts_and_allows_a_caller(artefact: Path) -> None:
    sources = {"ALLOWED_SOURCES": "203.0.113.0/24"}
    event = {
        "routeKey": "ANY /api/v1/ocpp/charger-connect",
        "headers": {"x-forwarded-for": "203.0.113.7"},
        "requestContext": {"http": {"sourceIp": "203.0.113.7"}},
    }
    parameters = {"Access": "network", "AllowedSources": sources["ALLOWED_SOURCES"]}
    with Emulator("AuthorizerFunction", parameters=parameters, artefact=artefact) as authorizer:
        assert authorizer.invoke(event) == {
            "isAuthorized": True,
            "context": {"caller": "network:203.0.113.0/24"},
        }

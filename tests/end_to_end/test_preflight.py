"""The check before traffic shifts, in the built functions under Lambda's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Deployment

pytestmark = pytest.mark.artefact


@pytest.mark.parametrize("function", ["ConnectFunction", "AttemptsFunction", "CallbackFunction"])
def test_a_built_function_says_that_it_reaches_what_it_needs(deployment: Deployment, function: str) -> None:
    before = deployment.table.items()
    assert deployment.functions[function].invoke({"preflight": True}) == {"failures": []}
    assert deployment.table.items() == before


def test_a_built_function_says_what_it_does_not_reach(deployment: Deployment, artefact: Path) -> None:
    nowhere = deployment.table.environment() | {"TABLE_NAME": "nowhere"}
    with Emulator("AttemptsFunction", nowhere, artefact=artefact) as function:
        assert function.invoke({"preflight": True}) == {"failures": ["table: ResourceNotFoundException"]}


def test_the_hook_starts_and_tells_why_it_could_not_ask(artefact: Path) -> None:
    closed = {
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_CODEDEPLOY": "http://127.0.0.1:9",
    }
    with Emulator("PreflightFunction", {"VERSIONS": "one", **closed}, artefact=artefact) as hook:
        answer = hook.invoke({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"})
        assert answer["errorType"] == "Crashed", "CodeDeploy could not be told either"
        assert "could not be asked: EndpointConnectionError" in hook.output()


def test_the_authorizer_starts_and_lets_in(artefact: Path) -> None:
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

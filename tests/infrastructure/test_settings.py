"""The template and the settings of the functions use the same variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.settings import Environment, Settings
from common.settings.access import AccessSettings
from common.settings.callback import CallbackSettings
from common.settings.connect import ConnectSettings
from common.settings.preflight import PreflightSettings
from common.settings.resolve import ResolveSettings

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

# Lambda's own variable, and the file that replaces Secrets Manager on a local machine.
NOT_OF_THE_TEMPLATE = {"AWS_REGION", "LINK_SECRETS_FILE"}
LIBRARIES = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "PYDANTIC_DISABLE_PLUGINS",
    "PYTHONTZPATH",
}


def variables(deploy: Deploy, function: str, **parameters: str) -> dict[str, str]:
    given = deploy(**parameters)[function]["Properties"]["Environment"]["Variables"]
    return {name: str(value) for name, value in given.items()}


@pytest.mark.parametrize(
    ("function", "model"),
    [
        ("ConnectFunction", ConnectSettings),
        ("AttemptsFunction", Settings),
        ("ResolveFunction", ResolveSettings),
    ],
)
def test_a_function_receives_exactly_the_variables_that_it_reads(
    deploy: Deploy, function: str, model: type[Settings]
) -> None:
    read = {str(field.alias) for field in model.model_fields.values()} - NOT_OF_THE_TEMPLATE
    assert set(variables(deploy, function)) == read | LIBRARIES


@pytest.mark.parametrize(
    ("function", "model"), [("ConnectFunction", ConnectSettings), ("ResolveFunction", ResolveSettings)]
)
def test_the_template_and_the_model_have_the_same_defaults(
    deploy: Deploy, function: str, model: type[Settings]
) -> None:
    given = variables(deploy, function) | {"AWS_REGION": "eu-west-1"}
    required = {name: given[name] for name in ("TABLE_NAME", "AWS_REGION", "JOURNAL_SECRET")}
    assert model.read(given) == model.read(required)


def test_a_parameter_sets_the_setting_of_its_name(deploy: Deploy) -> None:
    given = variables(
        deploy,
        "ConnectFunction",
        LinkServers="ssm:/charger-connect/servers",
        LinkTimeout="7",
        DefaultLinkServer="10.0.0.5:8080",
        RetentionDays="3",
        ClockTolerance="5",
        StartWindow="300",
        PauseStarts="true",
    )
    settings = ConnectSettings.read(given | {"AWS_REGION": "eu-west-1"})
    assert settings.link_servers == "ssm:/charger-connect/servers"
    assert (settings.link_timeout, settings.retention_days, settings.paused) == (7, 3, True)
    assert settings.default_link_server == "10.0.0.5:8080"
    assert (settings.clock_tolerance, settings.start_window) == (5, 300)


@pytest.mark.parametrize(
    ("function", "model", "parameters"),
    [
        ("CallbackFunction", CallbackSettings, {}),
        ("PreflightFunction", PreflightSettings, {}),
        ("AuthorizerFunction", AccessSettings, {"Access": "network", "AllowedSources": "203.0.113.0/24"}),
    ],
)
def test_a_function_starts_with_its_environment_variables(
    deploy: Deploy, function: str, model: type[Environment], parameters: dict[str, str]
) -> None:
    given = variables(deploy, function, **parameters)
    assert model.read(given | {"AWS_REGION": "eu-west-1"})

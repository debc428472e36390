"""Service names, headers and endpoints equal those of botocore."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from common.aws import DYNAMODB, SECRETS_MANAGER, SYSTEMS_MANAGER, Service

SERVICES = [DYNAMODB, SECRETS_MANAGER, SYSTEMS_MANAGER]
KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
VARIABLES = ["AWS_ENDPOINT_URL", *(service.variable for service in SERVICES)]

pytestmark = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@pytest.fixture(autouse=True)
def _no_endpoint_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def botocore_client(service: Service, region: str, **options: Any) -> Any:
    return boto3.client(service.name, region, **KEYS, **options)  # type: ignore[call-overload]


def test_signing_name_target_and_protocol_are_those_of_botocore(service: Service) -> None:
    model = botocore_client(service, "eu-west-1").meta.service_model
    assert (model.signing_name, model.metadata["targetPrefix"]) == (service.name, service.target)
    assert (model.metadata["protocol"], model.metadata["jsonVersion"]) == ("json", service.version)
    own = f"AWS_ENDPOINT_URL_{model.service_id.upper().replace(' ', '_')}"
    assert service.variable == own


@pytest.mark.parametrize(
    "region",
    ["eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1"],
)
def test_an_endpoint_is_that_of_botocore(service: Service, region: str) -> None:
    assert service.endpoint(region, {}) == botocore_client(service, region).meta.endpoint_url


def test_a_variable_replaces_the_endpoint_and_the_services_own_comes_first(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = ["https://service.example", "https://all.example", "https://other.example"]
    others = [variable for variable in VARIABLES[1:] if variable != service.variable]
    environ = dict(zip([service.variable, "AWS_ENDPOINT_URL", others[0]], urls, strict=True))
    expected = [urls[0], urls[1], service.endpoint("eu-west-1", {})]
    for removed, url in zip([None, service.variable, "AWS_ENDPOINT_URL"], expected, strict=True):
        environ.pop(removed or "", None)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            assert service.endpoint("eu-west-1", environ) == url
            assert botocore_client(service, "eu-west-1").meta.endpoint_url == url


def test_a_blank_variable_is_read_as_not_set(service: Service) -> None:
    blank = {service.variable: "", "AWS_ENDPOINT_URL": " "}
    assert service.endpoint("eu-west-1", blank) == service.endpoint("eu-west-1", {})


@pytest.mark.parametrize("url", ["ftp://somewhere", "somewhere:8000", "httpx://somewhere"])
def test_a_url_of_another_scheme_is_refused_with_the_name_of_its_variable(service: Service, url: str) -> None:
    for variable in (service.variable, "AWS_ENDPOINT_URL"):
        with pytest.raises(ValueError, match=rf"^{variable}: "):
            service.endpoint("eu-west-1", {variable: url})

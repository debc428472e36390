"""The signature equals that of botocore's own signer, header by header."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from common.aws.credentials import Credentials
from common.aws.sigv4 import sign

NOW = 1_790_000_000.9
HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.UpdateItem"}
SERVICES = ["dynamodb", "secretsmanager", "ssm"]


def sign_with_botocore(
    host: str, body: bytes, credentials: Credentials, region: str, service: str, now: float
) -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest("POST", f"https://{host}/", headers=dict(HEADERS), data=body)
    botocore_credentials = botocore.credentials.Credentials(
        credentials.access_key, credentials.secret_key, credentials.token
    )
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(now, UTC)):
        botocore.auth.SigV4Auth(botocore_credentials, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("token", [None, "", "IQoJb3JpZ2luX2VjE//+=="])
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("host", ["dynamodb.eu-west-1.amazonaws.com", "127.0.0.1:8000"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", json.dumps({"a": "🚗" * 50}, ensure_ascii=False).encode()],
    ids=["empty", "braces", "long"],
)
def test_the_signature_equals_that_of_botocore(
    host: str, service: str, body: bytes, token: str | None
) -> None:
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    for now in (NOW, NOW + 86400, 0.0):
        signed = sign(HEADERS, host, body, credentials, "eu-west-1", service, now)
        assert signed == sign_with_botocore(host, body, credentials, "eu-west-1", service, now)


def test_another_secret_region_service_or_day_changes_the_signature() -> None:
    def signature(
        secret: str = "secret", region: str = "eu-west-1", service: str = "ssm", now: float = NOW
    ) -> str:
        signed = sign(HEADERS, "host", b"{}", Credentials("A", secret, None), region, service, now)
        return signed["authorization"]

    signatures = {
        signature(),
        signature(secret="other"),
        signature(region="us-east-1"),
        signature(service="dynamodb"),
        signature(now=NOW + 86400),
    }
    assert len(signatures) == 5
    assert signature() == signature()

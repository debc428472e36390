"""The journal's errors for what the DynamoDB client reports. tests/integration/aws covers the client."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from common.aws.credentials import Credentials
from common.journal import ConditionFailed, DynamoDB, JournalUnavailable
from common.transport import Deadline
from tests.integration.misbehaving import Misbehaving, Script, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Iterator


def error(kind: str, **more: Any) -> Script:
    """Send an error of DynamoDB with this code."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "x", **more}
    return sends(response(400, json.dumps(body).encode()))


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with closing(Misbehaving(sends(response(200, b'{"Attributes":{}}')))) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: Misbehaving) -> Iterator[DynamoDB]:
    url = f"http://127.0.0.1:{endpoint.port}"
    with closing(DynamoDB(url, "eu-west-1", lambda: Credentials("AKID", "secret", None))) as client:
        yield client


def call(client: DynamoDB, seconds: float = 5.0) -> dict[str, Any]:
    return client.call("UpdateItem", {"TableName": "attempts"}, Deadline.after(seconds))


def unavailable(client: DynamoDB, seconds: float = 0.2) -> str:
    with pytest.raises(JournalUnavailable) as raised:
        call(client, seconds)
    assert not raised.value.doubt
    return raised.value.reason


def test_a_call_is_a_request_of_dynamodb(client: DynamoDB, endpoint: Misbehaving) -> None:
    assert call(client) == {"Attributes": {}}
    (request,) = endpoint.requests
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert json.loads(request.body) == {"TableName": "attempts"}


@pytest.mark.parametrize("item", [{"id": {"S": "x"}}, None])
def test_a_failed_condition_returns_the_old_item(
    item: dict[str, Any] | None, client: DynamoDB, endpoint: Misbehaving
) -> None:
    endpoint.set_scripts(error("ConditionalCheckFailedException", **({"Item": item} if item else {})))
    with pytest.raises(ConditionFailed) as failed:
        call(client)
    assert failed.value.item == item
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (error("AccessDeniedException"), "AccessDeniedException"),
        (error("ThrottlingException"), "ThrottlingException"),
        (hangs, "timeout"),
        (sends(response(503, b"<html>")), "http-503"),
        (lambda peer: peer.reset(), "reset"),
    ],
)
def test_any_other_failure_is_an_unavailable_journal(
    fault: Script, reason: str, client: DynamoDB, endpoint: Misbehaving
) -> None:
    endpoint.set_scripts(fault)
    assert unavailable(client) == reason

"""A request as API Gateway sends it, and the response in the format that it asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from charger_connect.handler import respond
from charger_connect.opening import request_fingerprint
from common.journal import ConditionFailed
from tests.integration.calling import Context
from tests.operations.conftest import captured_lines, messages
from tests.unit.charger_connect.services import ID, request, service
from tests.unit.charger_connect.test_flow import old
from tests.unit.journal.transitions import ANSWER

BODY = {
    "id": ID,
    "chargerId": "CP-1",
    "tokenId": "04A2B3C4D5E6",
    "serverIpAddress": "10.0.0.5",
    "serverRestApiPort": 8080,
}
DIGEST = request_fingerprint(request(connectorId=4), "anonymous", b"a secret of the test")


@pytest.fixture(autouse=True)
def _metrics_have_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "local")


def answer(
    method: str = "POST",
    body: object = BODY,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    completed = old(state="completed", answer=ANSWER, fingerprint=DIGEST)
    event = {
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "requestContext": {"http": {"method": method}},
        "queryStringParameters": query,
        "body": json.dumps(body),
    }
    return respond(event, Context(29.0), service(ConditionFailed(completed)))


def test_another_method_is_not_allowed() -> None:
    response = answer("GET")
    assert (response["statusCode"], response["headers"]["Allow"]) == (405, "POST")
    document = json.loads(response["body"])
    assert (document["type"], document["detail"]) == (
        "/problems/method-not-allowed",
        "Send the request with POST.",
    )


def test_a_repeat_receives_the_stored_answer() -> None:
    response = answer(query={"connectorId": "4"})
    assert (response["statusCode"], response["headers"]["Connect-Outcome"]) == (200, "accepted")
    assert json.loads(response["body"])["status"] == "Charging"
    assert answer(query={"connectorId": "5"})["statusCode"] == 422, "another connector is another request"


def test_an_invalid_request_is_logged() -> None:
    with captured_lines() as lines:
        response = answer(body={**BODY, "chargerId": None})
    assert response["statusCode"] == 400
    assert [(line["message"], line["fields"]) for line in messages(lines)] == [("refused", ["chargerId"])]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [({}, "application/json"), ({"Accept": "application/xml"}, "application/xml")],
)
def test_the_format_of_the_response_is_negotiated(headers: dict[str, str], kind: str) -> None:
    response = answer(query={"connectorId": "4"}, headers=headers)
    assert response["headers"]["Content-Type"].startswith(kind)


def test_another_content_type_is_not_supported() -> None:
    assert answer(headers={"Content-Type": "text/plain"})["statusCode"] == 415

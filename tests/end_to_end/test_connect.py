"""A POST starts a charge, through gateway, built functions in Lambda's runtime, table, OCPP server and charge point."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Deployment

pytestmark = pytest.mark.artefact

PATH = "/api/v1/ocpp/charger-connect"
NAMESPACE = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
JSON = {"Content-Type": "application/json"}


def make_request(deployment: Deployment, charger: str, token: str | None) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "chargerId": charger,
        "tokenId": token,
        "serverIpAddress": "127.0.0.1",
        "serverRestApiPort": deployment.rest_port,
    }


@pytest.mark.parametrize("charger", ["CP-1", "CP-2"])
def test_a_repeated_request_starts_a_charge_once(deployment: Deployment, charger: str) -> None:
    token = f"ONCE-{charger}"
    body = make_request(deployment, charger, token)
    status, headers, text = deployment.request("POST", PATH, json.dumps(body), JSON)
    response = json.loads(text)
    assert (status, headers["connect-outcome"]) == (200, "accepted")
    assert (response["id"], response["chargerId"], response["errorCode"]) == (body["id"], charger, "NoError")
    assert response["status"] in {"Accepted", "Preparing", "Charging"}
    assert deployment.count_starts(token) == 1

    status, headers, repeated = deployment.request("POST", PATH, json.dumps(body), JSON)
    assert (status, headers["idempotent-replayed"], json.loads(repeated)) == (200, "true", response)
    assert deployment.count_starts(token) == 1


def test_an_attempt_can_be_read_by_id_and_by_charger(deployment: Deployment) -> None:
    body = make_request(deployment, "CP-4", "READ-BACK-0001")
    status, headers, text = deployment.request("POST", PATH, json.dumps(body), JSON)
    assert (status, headers["connect-outcome"], json.loads(text)["status"]) == (200, "rejected", "Rejected")

    status, _, text = deployment.request("GET", f"{PATH}/{body['id']}")
    attempt = json.loads(text)
    assert (status, attempt["id"], attempt["state"]) == (200, body["id"], "completed")

    status, _, text = deployment.request("GET", "/api/v1/ocpp/chargers/CP-4/attempts")
    assert status == 200
    assert body["id"] in text


def test_a_request_without_a_token_starts_nothing_and_returns_the_status(deployment: Deployment) -> None:
    body = make_request(deployment, "CP-3", None)
    status, headers, text = deployment.request("POST", PATH, json.dumps(body), JSON)
    assert (status, headers["connect-outcome"]) == (200, "offline")
    assert json.loads(text)["status"] == "Unavailable"


def test_an_xml_request_receives_an_xml_response(deployment: Deployment) -> None:
    body = (
        f'<OcppChargerConnectRequest xmlns="{NAMESPACE}"><chargerId>CP-4</chargerId><id>{uuid4()}</id>'
        f"<serverIpAddress>127.0.0.1</serverIpAddress><serverRestApiPort>{deployment.rest_port}</serverRestApiPort>"
        "<tokenId>XML-0001</tokenId></OcppChargerConnectRequest>"
    )
    status, headers, text = deployment.request("POST", PATH, body, {"Content-Type": "application/xml"})
    assert (status, headers["connect-outcome"]) == (200, "rejected")
    assert headers["content-type"].startswith("application/xml")
    assert "<status>Rejected</status>" in text
    assert deployment.count_starts("XML-0001") == 1


def test_each_function_calls_only_the_table_operations_that_its_role_allows(deployment: Deployment) -> None:
    deployment.table.operations.clear()
    body = make_request(deployment, "CP-1", "RIGHTS-0001")
    deployment.request("POST", PATH, json.dumps(body), JSON)
    deployment.request("POST", PATH, json.dumps(body), JSON)
    assert set(deployment.table.operations) == {"UpdateItem"}
    deployment.table.operations.clear()
    deployment.request("GET", f"{PATH}/{body['id']}")
    deployment.request("GET", "/api/v1/ocpp/chargers/CP-1/attempts")
    assert set(deployment.table.operations) == {"GetItem", "Query", "BatchGetItem"}
    deployment.table.operations.clear()
    assert "unknown" in deployment.functions["ResolveFunction"].invoke({"sweep": True})
    assert set(deployment.table.operations) == {"Query"}


def test_no_token_is_printed(deployment: Deployment) -> None:
    token = "SECRET-0123456789"
    deployment.request("POST", PATH, json.dumps(make_request(deployment, "CP-4", token)), JSON)
    assert deployment.count_starts(token) == 1
    printed = "".join(function.output() for function in deployment.functions.values())
    assert "REPORT RequestId" in printed
    assert token not in printed

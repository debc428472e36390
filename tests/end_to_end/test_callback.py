"""A callback completes an unknown attempt: the built functions in Lambda's runtime, CitrineOS and a charge point."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from local.chargers import Behaviour, charging
from local.gateway import read_response
from local.running import in_thread
from local.simulators import CitrineOS, serving_simulator
from tests.end_to_end.conftest import LINK_SERVERS
from tests.end_to_end.emulator import Emulator
from tests.integration.dialects.link_client import is_connected
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Deployment

pytestmark = pytest.mark.artefact

PATH = "/api/v1/ocpp/charger-connect"
JSON = {"Content-Type": "application/json"}


def test_a_late_callback_completes_the_attempt_but_a_forged_one_does_not(
    deployment: Deployment, artefact: Path
) -> None:
    citrineos = CitrineOS()
    citrineos.calls_back = False  # the test sends the callback later
    settings = {
        "LINK_SERVERS": json.dumps([{**LINK_SERVERS[0], "dialect": "citrineos"}]),
        "LINK_TIMEOUT": "1",
        "CALLBACK_BASE_URL": "https://charge.example.com",
    }
    with (
        in_thread(serving_simulator(citrineos)) as simulator,
        in_thread(charging([Behaviour("CP-C")], simulator.ocpp_url)),
        Emulator("ConnectFunction", deployment.table.environment() | settings, artefact=artefact) as connect,
    ):
        eventually(lambda: is_connected(simulator, "CP-C"))
        body: dict[str, Any] = {"id": str(uuid4()), "chargerId": "CP-C", "tokenId": "CALLED-BACK-0001"}
        body |= {"serverIpAddress": "127.0.0.1", "serverRestApiPort": simulator.port}
        event = {
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "http": {"method": "POST"},
                "domainName": "charge.example.com",
                "stage": "$default",
            },
            "body": json.dumps(body),
        }
        assert read_response(connect.invoke(event)).status == 504
    (url,) = citrineos.callback_urls
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}"
    assert read_state(deployment, body["id"]) == ("unknown", None)

    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert deployment.request("POST", forged, '{"status": "Accepted"}', JSON)[0] == 404
    assert read_state(deployment, body["id"]) == ("unknown", None)

    deployment.table.operations.clear()
    assert deployment.request("POST", path, '{"status": "Accepted"}', JSON)[0] == 204
    assert set(deployment.table.operations) == {"GetItem", "UpdateItem"}, (
        "the role of the function allows only these operations"
    )
    assert read_state(deployment, body["id"]) == ("completed", "accepted")


def read_state(deployment: Deployment, id_: str) -> tuple[str, str | None]:
    status, _, text = deployment.request("GET", f"{PATH}/{id_}")
    assert status == 200
    attempt = json.loads(text)
    return attempt["state"], attempt["outcome"]

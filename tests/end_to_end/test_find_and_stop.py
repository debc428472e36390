"""The whole local stack with SteVe: a charge whose start was answered too late is found without a repeat, and stopped."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from tests.documentation.stack import Stack, running
from tests.waiting import eventually

PATH = "/api/v1/ocpp/charger-connect"
CHARGER = "CP-1"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
OPTIONS = ("--dialect=steve", "--link-timeout=1", "--sweep-seconds=1")


def call(stack: Stack, method: str, path: str, body: object = None) -> tuple[int, Any]:
    response = stack.send(method, path, None if body is None else json.dumps(body), JSON)
    return response.status, json.loads(response.text) if response.text else None


def start_late(stack: Stack) -> str:
    """Start a charge at a charge point that answers after the service's timeout, and return the attempt's id."""
    command = {"chargerId": CHARGER, "online": True, "reaction": "late"}
    assert call(stack, "POST", "/console/charge-point", command)[0] == 204
    eventually(lambda: read_charge_point(stack)["reaction"] == "late")
    body: dict[str, Any] = {"id": str(uuid4()), "chargerId": CHARGER, "tokenId": "04A2B3C4D5E6"}
    body |= {"serverIpAddress": "127.0.0.1", "serverRestApiPort": stack.ports.rest}
    status, problem = call(stack, "POST", PATH, body)
    assert (status, problem["outcome"]) == (504, "unknown")
    return str(body["id"])


def read_attempt(stack: Stack, id_: str) -> dict[str, Any]:
    status, attempt = call(stack, "GET", f"{PATH}/{id_}")
    assert status == 200
    return dict(attempt)


def wait_until_found(stack: Stack, id_: str) -> dict[str, Any]:
    assert read_attempt(stack, id_)["state"] == "unknown"
    eventually(lambda: read_attempt(stack, id_)["state"] == "completed", 60)
    attempt = read_attempt(stack, id_)
    assert (attempt["outcome"], attempt["tries"]) == ("accepted", 1)
    return attempt


def read_charge_point(stack: Stack) -> dict[str, Any]:
    """Return the charge point's own record, from the console's event stream."""
    with closing(HTTPConnection("127.0.0.1", stack.ports.gateway, timeout=20)) as connection:
        connection.request("GET", "/console/events")
        response = connection.getresponse()
        while response.readline() != b"event: charge-points\n":
            pass
        cards = json.loads(response.readline().removeprefix(b"data: "))
    return dict(next(card for card in cards if card["chargerId"] == CHARGER))


def test_a_charge_that_runs_is_found_and_stopped() -> None:
    with running(*OPTIONS, "--charge-seconds=600") as stack:
        id_ = start_late(stack)
        found = wait_until_found(stack, id_)["transaction"]
        (own,) = read_charge_point(stack)["transactions"]
        assert (found["id"], found["stoppedAt"], own["stoppedAt"]) == (own["id"], None, None)

        status, answer = call(stack, "DELETE", f"{PATH}/{id_}")
        assert (status, answer["status"]) == (200, "Accepted")
        eventually(lambda: read_charge_point(stack)["transactions"][0]["stoppedAt"])
        assert read_charge_point(stack)["starts"] == 1
        assert read_attempt(stack, id_)["stop"]["status"] == "Accepted"

        status, answer = call(stack, "DELETE", f"{PATH}/{id_}")
        assert (status, answer["status"], answer["info"]) == (200, "Accepted", "already-stopped")


def test_a_charge_that_has_ended_is_found_and_needs_no_stop() -> None:
    with running(*OPTIONS, "--charge-seconds=5") as stack:
        id_ = start_late(stack)
        found = wait_until_found(stack, id_)["transaction"]
        eventually(lambda: read_charge_point(stack)["transactions"][0]["stoppedAt"])
        assert found["id"] == read_charge_point(stack)["transactions"][0]["id"]

        status, answer = call(stack, "DELETE", f"{PATH}/{id_}")
        assert (status, answer["status"], answer["info"]) == (200, "Accepted", "already-stopped")
        stopped = read_attempt(stack, id_)["transaction"]["stoppedAt"]
        assert stopped is not None

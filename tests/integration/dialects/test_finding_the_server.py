"""A request that names no server, and the callback URLs for a server that answers later."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import charger_connect.handler
from local.chargers import Behaviour, Reaction
from local.simulators import OcppCore, Steve
from tests.integration.calling import LOOPBACK, PATH, Caller, Context, calling, parse_response, request
from tests.integration.dialects.deployed import deployed
from tests.integration.dialects.link_client import running_simulator, starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.chargers import ChargePoint
    from local.simulators import Simulator
    from local.table import TableServer


def chargers() -> list[Behaviour]:
    return [Behaviour("CP", connectors=2), Behaviour("CP-4", reaction=Reaction.REJECT)]


@pytest.fixture
def steve() -> Iterator[tuple[Simulator, dict[str, ChargePoint]]]:
    with running_simulator(Steve(), *chargers()) as running:
        yield running


@pytest.fixture
def core() -> Iterator[tuple[Simulator, dict[str, ChargePoint]]]:
    with running_simulator(OcppCore(), *chargers(), Behaviour("CP-3")) as running:
        yield running


@pytest.fixture
def steve_simulator(steve: tuple[Simulator, dict[str, ChargePoint]]) -> Simulator:
    return steve[0]


@pytest.fixture
def core_simulator(core: tuple[Simulator, dict[str, ChargePoint]]) -> Simulator:
    return core[0]


@pytest.fixture
def received(
    steve: tuple[Simulator, dict[str, ChargePoint]], core: tuple[Simulator, dict[str, ChargePoint]]
) -> Callable[[], tuple[int, int]]:
    """Return a function that counts the starts at charge points: through SteVe, and through OCPP.Core."""
    return lambda: (len(starts(steve[1])), len(starts(core[1])))


def entries(steve_simulator: Simulator, core_simulator: Simulator) -> list[dict[str, Any]]:
    return [
        {**LOOPBACK, "ports": [steve_simulator.port], "dialect": "steve"},
        {**LOOPBACK, "ports": [core_simulator.port], "dialect": "ocpp-core"},
    ]


@pytest.fixture
def caller(table: TableServer, steve_simulator: Simulator, core_simulator: Simulator) -> Iterator[Caller]:
    """Return a caller whose default server is OCPP.Core."""
    default = f"127.0.0.1:{core_simulator.port}"
    with calling(table, *entries(steve_simulator, core_simulator), DEFAULT_LINK_SERVER=default) as caller:
        yield caller


def request_without_server(charger: str = "CP", **changes: Any) -> dict[str, Any]:
    members = request(0, chargerId=charger, **changes)
    return {**members, "serverIpAddress": None, "serverRestApiPort": None}


@pytest.mark.parametrize("charger", ["CP", "CP-4"])
def test_the_server_that_last_answered_for_the_charger_is_called(
    caller: Caller, steve_simulator: Simulator, received: Callable[[], tuple[int, int]], charger: str
) -> None:
    caller.post(request(steve_simulator.port, chargerId=charger))
    answer = caller.post(request_without_server(charger))
    assert answer.status == 200
    assert received() == (2, 0)


def test_a_server_without_the_charger_is_not_used_again(
    caller: Caller, steve_simulator: Simulator, received: Callable[[], tuple[int, int]]
) -> None:
    assert caller.post(request(steve_simulator.port, chargerId="CP-3")).body["status"] == "Unavailable"
    assert caller.post(request_without_server("CP-3")).body["status"] == "Accepted"
    assert received() == (0, 1)


def test_a_status_shows_which_server_has_the_charger(
    table: TableServer,
    steve_simulator: Simulator,
    core_simulator: Simulator,
    received: Callable[[], tuple[int, int]],
) -> None:
    default = f"127.0.0.1:{steve_simulator.port}"
    with calling(table, *entries(steve_simulator, core_simulator), DEFAULT_LINK_SERVER=default) as caller:
        assert caller.post(request(core_simulator.port, chargerId="CP", tokenId=None)).outcome == "status"
        assert caller.post(request_without_server()).status == 200
    assert received() == (0, 1)


def test_a_server_that_is_no_longer_allowed_is_replaced_by_the_default(
    table: TableServer,
    caller: Caller,
    steve_simulator: Simulator,
    core_simulator: Simulator,
    received: Callable[[], tuple[int, int]],
) -> None:
    caller.post(request(steve_simulator.port, chargerId="CP"))
    default = f"127.0.0.1:{core_simulator.port}"
    with calling(table, entries(steve_simulator, core_simulator)[1], DEFAULT_LINK_SERVER=default) as later:
        assert later.post(request_without_server()).status == 200
    assert received() == (1, 1)


def test_without_a_known_server_the_request_must_name_one(
    table: TableServer, steve_simulator: Simulator, core_simulator: Simulator
) -> None:
    with calling(table, *entries(steve_simulator, core_simulator)) as caller:
        answer = caller.post(request_without_server())
    assert (answer.status, answer.problem, answer.fields) == (400, "invalid-request", ["serverIpAddress"])


@pytest.mark.parametrize(
    ("entry", "requested", "sent"),
    [
        ({}, None, 1),
        ({}, "2", 2),
        ({"connector": 2}, None, 2),
        ({"connector": 2}, "1", 1),
        ({"connector": "none"}, None, None),
        ({"connector": "none"}, "2", 2),
    ],
)
def test_the_connector_is_the_requests_or_else_the_entrys_or_else_the_dialects(
    table: TableServer,
    steve_simulator: Simulator,
    steve: tuple[Simulator, dict[str, ChargePoint]],
    entry: dict[str, Any],
    requested: str | None,
    sent: int | None,
) -> None:
    with calling(table, {**LOOPBACK, "dialect": "steve", **entry}) as caller:
        members = request(steve_simulator.port, chargerId="CP")
        answer = caller.post(members, connector=requested)
        assert (answer.status, answer.body["connectorId"]) == (200, sent or 0)
        assert caller.get(members["id"]).body["connectorId"] == sent
    assert starts(steve[1]) == [("CP", sent, members["tokenId"])]


@pytest.mark.parametrize(
    ("context", "base"),
    [
        ({"domainName": "abc.execute-api.eu-west-1.amazonaws.com", "stage": "$default"}, ""),
        ({"domainName": "abc.execute-api.eu-west-1.amazonaws.com", "stage": "prod"}, "/prod"),
    ],
)
def test_without_a_setting_the_callback_url_has_the_gateways_domain_name_and_not_the_host_header(
    table: TableServer, context: dict[str, str], base: str
) -> None:
    with deployed(table, [Behaviour("CP")], LINK_TIMEOUT="0.3", CALLBACK_BASE_URL="") as stack:
        stack.citrineos.calls_back = False
        members = stack.request("CP")
        answer = _post_with(stack.caller, members, context)
        assert answer.status == 504
        url = urlsplit(stack.url_of(members["id"]))
    assert (url.scheme, url.netloc) == ("https", context["domainName"])
    assert url.path.startswith(f"{base}/api/v1/ocpp/callbacks/{members['id']}/")


def test_a_server_that_calls_back_is_not_called_without_a_callback_url(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP")], CALLBACK_BASE_URL="") as stack:
        answer = stack.start("CP")
        assert (answer.status, answer.problem, answer.outcome) == (502, "server-error", "not-started")
        assert "CallbackBaseUrl" in answer.body["detail"]
        assert stack.points["CP"].starts == []


def _post_with(caller: Caller, members: dict[str, Any], context: dict[str, str]) -> Any:
    event = {
        "rawPath": PATH,
        "headers": {
            "content-type": "application/json",
            "host": "evil.example",
            "x-forwarded-host": "evil.example",
        },
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": int(time.time() * 1000), **context},
        "body": json.dumps(members),
        "isBase64Encoded": False,
    }
    return parse_response(charger_connect.handler.respond(event, Context(29.0), caller.service))

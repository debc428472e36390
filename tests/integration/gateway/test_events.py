"""Send every event of events/ through the real handlers, with a table, an OCPP server and charge points.

The events name the ports of `make run`; here the OCPP server listens on another port, which replaces the one in the events.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import launch as make_run
from local import template
from local.chargers import charging
from local.chargers.behaviours import usual
from local.csms import Csms, Options, serving
from local.gateway import build_event, read_response
from local.running import in_thread
from local.server import Request
from local.table import start_table
from tests.integration.csms.client import Rest
from tests.integration.gateway.functions import real_functions
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.gateway import Invoker
    from local.server import Response

EVENTS = template.PATH.parent / "events"
ENVIRONMENT: dict[str, dict[str, str]] = json.loads((EVENTS / "env.json").read_text())

MEDIA_TYPES = {
    "json": "application/json",
    "text-json": "text/json",
    "xml": "application/xml",
    "text-xml": "text/xml",
    "form": "application/json",
}
OUTCOMES = {
    "accepted": (200, "accepted"),
    "rejected": (200, "rejected"),
    "offline": (200, "offline"),
    "status": (200, "status"),
    "silent": (504, None),
    "invalid-id": (400, None),
}
OTHERS = {
    "refused/no-body": 400,
    "refused/address-not-allowed": 403,
    "refused/address-of-metadata": 403,
    "refused/charger-unknown": 404,
    "refused/wrong-method": 405,
    "refused/unsupported-media-type": 415,
    "refused/server-unreachable": 502,
    "attempts/unknown": 404,
    "attempts/of-a-charger": 200,
    "attempts/one": 200,
    "stops/accepted": 200,
    "stops/rejected": 200,
    "callbacks/expired": 404,
}


@pytest.fixture(scope="module")
def csms() -> Iterator[Csms]:
    behaviours = usual()
    for behaviour in behaviours:
        behaviour.charge_seconds = 0.0
    # A silent charger keeps its server waiting for `call_timeout`, and the next event finds it busy.
    options = Options(known=("CP-3",), call_timeout=0.5)
    with in_thread(serving(options)) as csms, in_thread(charging(behaviours, csms.ocpp_url)):
        yield csms


@pytest.fixture(scope="module")
def invoke(csms: Csms) -> Iterator[Invoker]:
    link_servers = json.loads(ENVIRONMENT["ConnectFunction"]["LINK_SERVERS"])
    with (
        closing(start_table()) as table,
        real_functions(table, link_servers, settings={"LINK_TIMEOUT": "1"}) as invoke,
    ):
        yield invoke


@pytest.fixture
def send(csms: Csms, invoke: Invoker) -> Sending:
    rest = Rest(csms.rest_url)
    for charger in ("CP-1", "CP-4", "CP-5"):
        eventually(partial(is_available, rest, charger))
    return Sending(csms.rest_port, invoke)


def is_available(rest: Rest, charger: str) -> bool:
    return rest.status(charger).outcome == (200, "Available")


class Sending:
    """`send(name)` invokes the function of an event with it and returns the gateway's response."""

    def __init__(self, rest_port: int, invoke: Invoker) -> None:
        self._rest_port = rest_port
        self._invoke = invoke

    def __call__(self, name: str) -> Response:
        event = load(name)
        if "body" in event:
            body = b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
            body = body.replace("9080", str(self._rest_port))
            event["body"] = b64encode(body.encode()).decode() if event["isBase64Encoded"] else body
        functions = {route.key: route.function for route in template.read().routes}
        return read_response(self._invoke(functions[event["routeKey"]], event))


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def names() -> list[str]:
    return sorted(
        str(path.relative_to(EVENTS).with_suffix(""))
        for path in EVENTS.rglob("*.json")
        if path.parent != EVENTS
    )


def test_no_event_is_without_a_test() -> None:
    matrix = {f"{folder}/{outcome}" for folder in MEDIA_TYPES for outcome in OUTCOMES}
    assert set(names()) == matrix | set(OTHERS)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("folder", MEDIA_TYPES)
def test_a_request_has_its_outcome_in_its_own_format(send: Sending, folder: str, outcome: str) -> None:
    answer = send(f"{folder}/{outcome}")
    headers = dict(answer.headers)
    status, outcome_header = OUTCOMES[outcome]
    assert (answer.status, headers.get("connect-outcome")) == (status, outcome_header)
    media_type = MEDIA_TYPES[folder]
    expected = media_type if status == 200 else f"application/problem+{media_type.partition('/')[2]}"
    assert headers["content-type"].partition(";")[0] == expected


@pytest.mark.parametrize(("name", "status"), OTHERS.items())
def test_every_other_event_has_its_status(send: Sending, name: str, status: int) -> None:
    if name == "attempts/one":
        send("json/accepted")
    if name.startswith("stops/"):
        send(f"json/{name.removeprefix('stops/')}")
    assert send(name).status == status


def test_an_attempt_can_be_looked_up_and_its_chargers_list_holds_no_others(send: Sending) -> None:
    send("json/accepted")
    attempt = document(send("attempts/one"))
    assert (attempt["chargerId"], attempt["state"]) == ("CP-1", "completed")
    listed = document(send("attempts/of-a-charger"))["attempts"]
    assert {attempt["chargerId"] for attempt in listed} == {"CP-1"}


def document(response: Response) -> dict[str, Any]:
    assert isinstance(response.body, bytes)
    read: dict[str, Any] = json.loads(response.body)
    return read


@pytest.mark.parametrize("name", names())
def test_an_event_is_built_like_those_of_the_gateway(name: str) -> None:
    event = load(name)
    http, query = event["requestContext"]["http"], event["rawQueryString"]
    body = event.get("body", "")
    request = Request(
        method=http["method"],
        target=f"{event['rawPath']}?{query}" if query else event["rawPath"],
        protocol=http["protocol"],
        headers=tuple(event["headers"].items()),
        body=b64decode(body) if event["isBase64Encoded"] else body.encode(),
        client=http["sourceIp"],
        received=event["requestContext"]["timeEpoch"] / 1000,
    )
    (route,) = [route for route in template.read().routes if route.key == event["routeKey"]]
    built = build_event(request, route, event.get("pathParameters", {}), "local")
    assert {**event, "headers": {}, "requestContext": {}} == {**built, "headers": {}, "requestContext": {}}
    assert event["headers"].keys() == built["headers"].keys()
    assert event["requestContext"].keys() == built["requestContext"].keys()
    assert event["requestContext"]["http"] == built["requestContext"]["http"]
    assert event["requestContext"]["time"] == built["requestContext"]["time"]


def test_the_environment_sets_only_what_the_template_declares() -> None:
    functions = template.read().functions
    for name, variables in ENVIRONMENT.items():
        assert variables.keys() <= functions[name].environment.keys()


def test_the_environment_is_that_of_make_run() -> None:
    connect = ENVIRONMENT["ConnectFunction"]
    assert connect["JOURNAL_SECRET"] == make_run.JOURNAL_SECRET
    assert json.loads(connect["LINK_SERVERS"]) == make_run.LINK_SERVERS
    assert ENVIRONMENT["CallbackFunction"]["JOURNAL_SECRET"] == make_run.JOURNAL_SECRET
    assert {variables["TABLE_NAME"] for variables in ENVIRONMENT.values()} == {make_run.TABLE_NAME}


def test_the_folders_are_listed_for_readers() -> None:
    text = Path(EVENTS / "README.md").read_text()
    for folder in {name.partition("/")[0] for name in names()}:
        assert f"`{folder}/" in text

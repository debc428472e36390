"""An event of `events/` is adapted to the running stack: its function, its environment, and the addresses in its body."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest

from local import sam_local, template
from local.sam_local import NoFunction, Stack

EVENTS = template.PATH.parent / "events"
STACK = Stack(
    process=1,
    address="172.17.0.1",
    table_port=8101,
    rest_port=9180,
    environment={"TABLE_NAME": "attempts", "LINK_TIMEOUT": "7", "JOURNAL_SECRET": "theirs", "FOREIGN": "x"},
)
FILES = sorted(path for path in EVENTS.rglob("*.json") if path.parent != EVENTS)
# Their bodies name no OCPP server on this machine.
WITHOUT_SERVER = {"refused/address-not-allowed", "refused/address-of-metadata", "refused/no-body"}


def name(path: Any) -> str:
    return str(path.relative_to(EVENTS).with_suffix(""))


def load(path: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def body_of(event: dict[str, Any]) -> str:
    return b64decode(event["body"]).decode() if event["isBase64Encoded"] else str(event["body"])


def members(event: dict[str, Any]) -> dict[str, str]:
    """Return the fields of a request's body as strings, for every format."""
    body = body_of(event)
    match event["headers"]["content-type"].rpartition("/")[2]:
        case "json" | "plain":
            return {key: str(value) for key, value in json.loads(body).items()}
        case "xml":
            return {element.tag.rpartition("}")[2]: element.text or "" for element in ET.fromstring(body)}
        case _:
            return dict(parse_qsl(body))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_stacks_address_and_port_are_replaced(path: Any) -> None:
    event = load(path)
    before = deepcopy(event)
    fitted = sam_local.fit(event, STACK)
    assert event == before
    if name(path) in WITHOUT_SERVER or path.parent.name in ("attempts", "callbacks", "stops"):
        assert fitted == event
        return
    expected = members(event) | {"serverIpAddress": "172.17.0.1"}
    if expected["serverRestApiPort"] == "9080":
        expected["serverRestApiPort"] = "9180"
    assert members(fitted) == expected
    assert int(fitted["headers"]["content-length"]) == len(body_of(fitted).encode())
    ours = ("body", "headers")
    assert {key: fitted[key] for key in fitted if key not in ours} == {
        key: event[key] for key in event if key not in ours
    }


def request(body: str, *, encoded: bool = False) -> dict[str, Any]:
    return {"body": b64encode(body.encode()).decode() if encoded else body, "isBase64Encoded": encoded}


@pytest.mark.parametrize(
    ("body", "fitted"),
    [
        # The service reads names case-insensitively, so they are replaced case-insensitively.
        ('{"ServerIPAddress" : "127.1.2.3", "SERVERRESTAPIPORT":9080 }', '{"ServerIPAddress" : "172.17.0.1", "SERVERRESTAPIPORT":9180 }'),
        ("serverRestApiPort=9080&serverIpAddress=127.0.0.1", "serverRestApiPort=9180&serverIpAddress=172.17.0.1"),
        # The port of another server is kept.
        ("serverIpAddress=127.0.0.1&serverRestApiPort=19080", "serverIpAddress=172.17.0.1&serverRestApiPort=19080"),
        ("serverIpAddress=127.0.0.1&serverRestApiPort=90800", "serverIpAddress=172.17.0.1&serverRestApiPort=90800"),
        # A server on another machine: its port is kept.
        ('{"serverIpAddress":"10.0.0.5","serverRestApiPort":9080}', None),
        ('{"serverIpAddress":"127.0.0.1.example.com","serverRestApiPort":9080}', None),
        ('{"tokenId":"127.0.0.1","chargerId":"9080"}', None),
        # A body that is not a request is unchanged.
        ('{"serverIpAddress":', None),
        ("", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoded", [False, True])
def test_only_a_server_on_the_loopback_interface_is_replaced(
    body: str, fitted: str | None, encoded: bool
) -> None:
    event = request(body, encoded=encoded)
    assert sam_local.fit(event, STACK) == request(body if fitted is None else fitted, encoded=encoded)


def test_bytes_that_are_not_text_are_kept() -> None:
    raw = b"\xff\xfe serverIpAddress=127.0.0.1"
    event = {"body": b64encode(raw).decode(), "isBase64Encoded": True}
    assert b64decode(sam_local.fit(event, STACK)["body"]) == raw.replace(b"127.0.0.1", b"172.17.0.1")


def test_an_event_without_a_body_is_unchanged() -> None:
    assert sam_local.fit({"routeKey": "x", "body": None}, STACK) == {"routeKey": "x", "body": None}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_function_of_an_event_is_that_of_its_route(path: Any) -> None:
    folder = {"attempts": "AttemptsFunction", "callbacks": "CallbackFunction"}
    assert sam_local.function_of(load(path)) == folder.get(path.parent.name, "ConnectFunction")


@pytest.mark.parametrize(
    ("event", "function"),
    [
        # As API Gateway sends it to an authorizer, https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
        (
            {
                "version": "2.0",
                "type": "REQUEST",
                "routeArn": "arn:aws:execute-api:eu-west-1:000000000000:local/$default/POST/api/v1/ocpp/charger-connect",
                "routeKey": "ANY /api/v1/ocpp/charger-connect",
                "requestContext": {"http": {"sourceIp": "192.0.2.20"}},
            },
            "AuthorizerFunction",
        ),
        ({"version": "2.0", "routeKey": "GET /docs"}, "HelpFunction"),
    ],
)
def test_functions_without_an_event_here_are_found_too(event: dict[str, Any], function: str) -> None:
    assert sam_local.function_of(event) == function


def test_the_event_of_a_deployment_is_rejected() -> None:
    with pytest.raises(NoFunction, match="CodeDeploy"):
        sam_local.function_of({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"})


@pytest.mark.parametrize("event", [{}, {"routeKey": "GET /nowhere"}, {"routeKey": ["ANY"]}])
def test_an_event_for_no_function_lists_the_routes(event: dict[str, Any]) -> None:
    with pytest.raises(NoFunction, match="ANY /api/v1/ocpp/charger-connect"):
        sam_local.function_of(event)


def test_the_environment_is_that_of_the_running_stack() -> None:
    given = json.loads((EVENTS / "env.json").read_text())["ConnectFunction"]
    environment = sam_local.environment_of("ConnectFunction", STACK)
    expected = given | {"TABLE_NAME": "attempts", "LINK_TIMEOUT": "7", "JOURNAL_SECRET": "theirs"}
    assert environment == {"ConnectFunction": expected}


def test_a_function_gets_no_variable_that_the_template_does_not_declare() -> None:
    (environment,) = sam_local.environment_of("AttemptsFunction", STACK).values()
    assert "JOURNAL_SECRET" not in environment
    assert environment["TABLE_NAME"] == "attempts"

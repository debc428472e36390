"""Access by network: which sources are allowed, under which name, and which settings are not valid."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from authorizer.handler import respond
from common.edge.call import Call
from common.settings import SettingsError
from common.settings.access import AccessSettings
from tests.integration.calling import Context
from tests.operations.conftest import captured_lines

CONNECT = "ANY /api/v1/ocpp/charger-connect"
ONE = "GET /api/v1/ocpp/charger-connect/{id}"
ALL = "GET /api/v1/ocpp/chargers/{chargerId}/attempts"
SETTINGS = AccessSettings.read(
    {
        "ALLOWED_SOURCES": "203.0.113.0/24,203.0.113.16/28,2001:db8::/48",
        "ALLOWED_READERS": "198.51.100.7/32",
        "ALLOWED_OPERATORS": "ops=192.0.2.1/32",
    }
)
STOP = "DELETE /api/v1/ocpp/charger-connect/{id}"
UNKNOWN = "GET /api/v1/ocpp/attempts"
RESOLVE = "PUT /api/v1/ocpp/charger-connect/{id}/resolution"


def authorize(source: str, route: str = CONNECT, **headers: str) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "routeKey": route,
        "headers": {"x-forwarded-for": source, **headers},
        "requestContext": {"http": {"sourceIp": source}},
    }
    with captured_lines():
        return respond(event, Context(5.0), SETTINGS)


@pytest.mark.parametrize(
    ("source", "caller"),
    [
        ("203.0.113.1", "network:203.0.113.0/24"),
        ("203.0.113.17", "network:203.0.113.16/28"),
        ("::ffff:203.0.113.1", "network:203.0.113.0/24"),
        ("2001:db8::7", "network:2001:db8::/48"),
    ],
)
def test_a_source_within_the_networks_is_allowed_as_its_network(source: str, caller: str) -> None:
    answer = authorize(source)
    assert answer == {"isAuthorized": True, "context": {"caller": caller}}
    event = {"requestContext": {"authorizer": {"lambda": answer["context"]}}}
    assert Call.of(event, Context(29.0)).caller == caller, "the fingerprint contains it"


@pytest.mark.parametrize(
    "source",
    [
        "203.0.114.1",
        "198.51.100.7",
        "127.0.0.1",
        "2001:db9::1",
        "::ffff:8.8.8.8",
        "",
        "unknown",
        "203.0.113.1 ",
    ],
)
def test_any_other_source_is_denied(source: str) -> None:
    assert authorize(source) == {"isAuthorized": False}


def test_reading_all_attempts_needs_its_own_setting() -> None:
    source, reader = "203.0.113.1", "198.51.100.7"
    assert [authorize(source, route)["isAuthorized"] for route in (CONNECT, ONE, ALL)] == [True, True, False]
    assert [authorize(reader, route)["isAuthorized"] for route in (CONNECT, ONE, ALL)] == [False, True, True]


@pytest.mark.parametrize("forwarded", ["203.0.113.1, 8.8.8.8", "8.8.8.8", ""])
def test_a_source_that_does_not_end_x_forwarded_for_is_denied(
    forwarded: str,
) -> None:
    assert authorize("203.0.113.1", **{"x-forwarded-for": forwarded}) == {"isAuthorized": False}


@pytest.mark.parametrize("forwarded", ["2001:DB8:0:0::7", "2001:0db8:0000:0000:0000:0000:0000:0007"])
def test_another_spelling_of_the_same_address_is_the_same_address(forwarded: str) -> None:
    assert authorize("2001:db8::7", **{"x-forwarded-for": forwarded})["isAuthorized"]
    assert authorize("2001:db8::8", **{"x-forwarded-for": forwarded}) == {"isAuthorized": False}


def test_a_header_that_the_caller_sends_has_no_effect() -> None:
    assert authorize("8.8.8.8", **{"x-forwarded-for": "203.0.113.1, 8.8.8.8"}) == {"isAuthorized": False}
    assert authorize("203.0.113.1", **{"x-forwarded-for": "8.8.8.8, 203.0.113.1"})["isAuthorized"]
    assert authorize("8.8.8.8", forwarded="for=203.0.113.1") == {"isAuthorized": False}


@pytest.mark.parametrize(
    "sources",
    [
        "",
        " ",
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/1,128.0.0.0/1",
        "10.0.0.0/8",
        "203.0.113.0/24,::/1",
        "2001::/16",
        "203.0.113.1/24",
        "example.com",
        "203.0.113.0/24,",
    ],
)
def test_a_setting_that_would_allow_everybody_is_not_valid(sources: str) -> None:
    with pytest.raises(SettingsError):
        AccessSettings.read({"ALLOWED_SOURCES": sources})
    if sources.strip():
        with pytest.raises(SettingsError):
            AccessSettings.read({"ALLOWED_SOURCES": "203.0.113.0/24", "ALLOWED_READERS": sources})
        with pytest.raises(SettingsError):
            AccessSettings.read({"ALLOWED_SOURCES": "203.0.113.0/24", "ALLOWED_OPERATORS": sources})


@pytest.mark.parametrize("route", [CONNECT, ONE, ALL, STOP, UNKNOWN, RESOLVE])
@pytest.mark.parametrize(
    ("source", "allowed", "name"),
    [
        ("203.0.113.1", {CONNECT, ONE, STOP}, "network:203.0.113.0/24"),
        ("198.51.100.7", {ONE, ALL, UNKNOWN}, "network:198.51.100.7/32"),
        ("192.0.2.1", {RESOLVE}, "network:ops"),
    ],
)
def test_callers_readers_and_operators_have_only_their_own_routes(
    source: str, allowed: set[str], name: str, route: str
) -> None:
    expected: dict[str, Any] = {"isAuthorized": False}
    if route in allowed:
        expected = {"isAuthorized": True, "context": {"caller": name}}
    assert authorize(source, route) == expected


def test_without_allowed_operators_nobody_resolves_attempts() -> None:
    settings = AccessSettings.read({"ALLOWED_SOURCES": "203.0.113.0/24", "ALLOWED_READERS": "203.0.113.0/24"})
    event = {"routeKey": RESOLVE, "requestContext": {"http": {"sourceIp": "203.0.113.1"}}}
    with captured_lines():
        assert respond(event, Context(5.0), settings) == {"isAuthorized": False}


def test_without_allowed_readers_nobody_reads_all_attempts() -> None:
    settings = AccessSettings.read({"ALLOWED_SOURCES": "203.0.113.0/24", "ALLOWED_READERS": ""})
    event = {"routeKey": ALL, "requestContext": {"http": {"sourceIp": "203.0.113.1"}}}
    with captured_lines():
        assert respond(event, Context(5.0), settings) == {"isAuthorized": False}


def test_without_sources_the_function_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_SOURCES", "")
    monkeypatch.delitem(sys.modules, "authorizer.app", raising=False)
    with pytest.raises(SettingsError, match="ALLOWED_SOURCES"):
        importlib.import_module("authorizer.app")


def test_a_denied_source_is_logged() -> None:
    event = {"routeKey": CONNECT, "requestContext": {"http": {"sourceIp": "8.8.8.8"}}}
    with captured_lines() as lines:
        respond(event, Context(5.0), SETTINGS)
    (line,) = lines
    assert (line["message"], line["source"], line["route"]) == ("source refused", "8.8.8.8", CONNECT)

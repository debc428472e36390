"""Validation of a connect request: every violation at once, each with its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from charger_connect.request import ConnectRequest
from common.wire import ProblemError, read_request

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
GOOD = {
    "id": ID,
    "chargerId": "CP-1",
    "tokenId": "04A2B3C4",
    "serverIpAddress": "10.0.0.5",
    "serverRestApiPort": 8080,
}


def read(connector: str | None = None, **changes: Any) -> ConnectRequest:
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return read_request(
        json.dumps(members).encode(), "application/json", ConnectRequest, connectorId=connector
    )


def fields(connector: str | None = None, **changes: Any) -> list[str]:
    with pytest.raises(ProblemError) as refused:
        read(connector, **changes)
    problem = refused.value.problem
    assert (problem.status, problem.type) == (400, "/problems/invalid-request")
    assert all(error.message for error in problem.errors)
    return sorted(error.field for error in problem.errors)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"id": ...}, ["id"]),
        ({"id": "x"}, ["id"]),
        ({"chargerId": ...}, ["chargerId"]),
        ({"chargerId": None}, ["chargerId"]),
        ({"chargerId": ""}, ["chargerId"]),
        ({"chargerId": " \t\u3000"}, ["chargerId"]),
        ({"chargerId": "x" * 256}, ["chargerId"]),
        ({"chargerId": "CP\r\n1"}, ["chargerId"]),
        ({"chargerId": "CP\x001"}, ["chargerId"]),
        ({"chargerId": "CP\u202e1"}, ["chargerId"]),
        ({"chargerId": "."}, ["chargerId"]),
        ({"chargerId": ".."}, ["chargerId"]),
        ({"chargerId": ["CP-1"]}, ["chargerId"]),
        ({"tokenId": "x" * 37}, ["tokenId"]),
        ({"tokenId": "a\nb"}, ["tokenId"]),
        ({"tokenId": "a\x7fb"}, ["tokenId"]),
        ({"tokenId": "a\x85b"}, ["tokenId"]),
        ({"tokenId": {}}, ["tokenId"]),
        ({"serverIpAddress": "ocpp.example"}, ["serverIpAddress"]),
        ({"serverIpAddress": " 10.0.0.5"}, ["serverIpAddress"]),
        ({"serverIpAddress": None}, ["serverRestApiPort"]),
        ({"serverIpAddress": " "}, ["serverRestApiPort"]),
        ({"serverRestApiPort": None}, ["serverRestApiPort"]),
        ({"serverRestApiPort": ...}, ["serverRestApiPort"]),
        ({"serverRestApiPort": 0}, ["serverRestApiPort"]),
        ({"serverRestApiPort": -1}, ["serverRestApiPort"]),
        ({"serverRestApiPort": 65536}, ["serverRestApiPort"]),
        ({"serverRestApiPort": 2**31}, ["serverRestApiPort"]),
        ({"serverRestApiPort": 5.0}, ["serverRestApiPort"]),
        ({"serverIpAddress": "x", "serverRestApiPort": 0}, ["serverIpAddress", "serverRestApiPort"]),
        ({"serverIpAddress": "x", "serverRestApiPort": None}, ["serverIpAddress"]),
        ({"id": None, "chargerId": None, "tokenId": "x" * 37, "serverIpAddress": "x", "serverRestApiPort": 0},
         ["chargerId", "id", "serverIpAddress", "serverRestApiPort", "tokenId"]),
    ],
)  # fmt: skip
def test_every_violation_is_named_with_its_field(changes: dict[str, Any], wrong: list[str]) -> None:
    assert fields(**changes) == wrong


@pytest.mark.parametrize(
    "connector", ["0", "-1", "", " 1", "1.0", "x", "+1", "٣", "2147483648", "9" * 400, "1,2"]
)
def test_an_invalid_connector_is_reported_together_with_violations_of_the_body(connector: str) -> None:
    assert fields(connector, chargerId=None) == ["chargerId", "connectorId"]


def test_a_connector_comes_from_the_query_and_never_from_the_body() -> None:
    assert read("2").connectorId == 2
    assert read(connectorId=2).connectorId is None
    assert read(ConnectorId=2, CONNECTORID=3).connectorId is None
    assert read("2147483647", connectorId=2).connectorId == 2147483647


@pytest.mark.parametrize("token", [None, ..., "", " ", "\t\u3000"])
def test_a_blank_token_is_none(token: Any) -> None:
    assert read(tokenId=token).tokenId is None


@pytest.mark.parametrize("token", ["x" * 36, " 04A2 ", "ä🚗", "0", "a\u00a0b"])
def test_a_token_is_kept_unchanged(token: str) -> None:
    assert read(tokenId=token).tokenId == token


@pytest.mark.parametrize("charger", ["x" * 255, " CP 1 ", "a/b", "..%2f", "Zähler", "..."])
def test_a_charger_is_kept_unchanged(charger: str) -> None:
    assert read(chargerId=charger).chargerId == charger


def test_without_a_server_address_and_port_are_both_none() -> None:
    found = read(serverIpAddress=None, serverRestApiPort=None)
    assert (found.serverIpAddress, found.serverRestApiPort) == (None, None)
    assert read(serverIpAddress="  ", serverRestApiPort="").serverIpAddress is None


def test_a_token_is_neither_in_an_error_nor_in_a_representation() -> None:
    with pytest.raises(ProblemError) as refused:
        read(tokenId="hush-" * 9)
    assert "hush" not in repr(refused.value.problem) + str(refused.value)
    assert "hush" not in repr(read(tokenId="hush"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chargerId": None}, "is missing: name the charger by its OCPP identity"),
        ({"chargerId": "x" * 256}, "must be at most 255 characters long"),
        ({"chargerId": "a\nb"}, "must contain printable characters only"),
        ({"chargerId": ".."}, "must not be . or .., which a URL cannot contain"),
        ({"tokenId": "x" * 37}, "must be at most 36 characters long"),
        ({"tokenId": "a\nb"}, "must not contain control characters"),
        ({"serverIpAddress": "x"}, "must be an IP address such as 10.0.0.5, without blanks; host names are not accepted"),
        ({"serverRestApiPort": 0}, "must be a port from 1 to 65535"),
        ({"serverRestApiPort": None}, "is missing: name the port of the OCPP server's REST API"),
        ({"serverIpAddress": None}, "needs serverIpAddress: name both, or leave both out"),
    ],
)  # fmt: skip
def test_a_violation_says_what_to_change(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError) as refused:
        read(**changes)
    assert [error.message for error in refused.value.problem.errors] == [message]


def test_the_largest_values_are_valid() -> None:
    request = read(connector="2147483647", chargerId="x" * 255, tokenId="y" * 36, serverRestApiPort=65535)
    assert (request.connectorId, len(request.chargerId or ""), len(request.tokenId or "")) == (
        2147483647,
        255,
        36,
    )
    assert (read(connector="1", serverRestApiPort=1).connectorId, read(tokenId=" a ~").tokenId) == (1, " a ~")
    with pytest.raises(ProblemError) as refused:
        read(connector="2147483648")
    (error,) = refused.value.problem.errors
    assert error == ("connectorId", "must be one whole number of at least 1, such as ?connectorId=1")

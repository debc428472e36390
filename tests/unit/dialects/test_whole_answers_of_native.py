"""The native dialect: each reply has one answer, with all its fields, or one error, with its kind; and each request is exactly this."""

from __future__ import annotations

from typing import Any

import pytest

from charger_link import Answer, Outcome
from charger_link.dialects.registry import load
from charger_link.exchange import ServerReply
from tests.unit.dialects.test_replies import command, reply
from tests.unit.dialects.test_whole_answers import Exchange, Expected, offline, rejected, result

CHARGER = "CP/1 ä"
PATH = "/api/v1/chargers/CP%2F1%20%C3%A4"
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


def body(status: object, **changes: Any) -> ServerReply:
    return reply(200, {"chargerId": CHARGER, "connectorId": 3, "errorCode": "NoError", "info": None, "status": status, **changes})  # fmt: skip


def problem(status: int, kind: str = "x", **headers: str) -> ServerReply:
    return ServerReply(status, "application/problem+json", headers, {"type": kind}, "x")


ERRORS: list[tuple[ServerReply, Expected]] = [
    (problem(404, "/problems/no-such-resource"), ("ServerFailed", "no-such-path")),
    (problem(404), ("ChargerUnknown", "charger-unknown")),
    (problem(429), ("ServerBusy", "busy", 5)),
    (problem(503), ("ServerBusy", "busy", 5)),
    (problem(503, **{"retry-after": "7"}), ("ServerBusy", "busy", 7)),
    (problem(503, **{"retry-after": "0"}), ("ServerBusy", "busy", 1)),
    (problem(503, **{"retry-after": "3601"}), ("ServerBusy", "busy", 3600)),
    (problem(503, **{"retry-after": "-1"}), ("ServerBusy", "busy", 5)),
    (problem(503, **{"retry-after": "٣"}), ("ServerBusy", "busy", 5)),
    (problem(403), ("ServerRefused", "forbidden")),
    (problem(504), ("OutcomeUnknown", "charger-silent")),
    (problem(400), ("ServerFailed", "http-400")),
    (problem(499), ("ServerFailed", "http-499")),
    (problem(399), ("OutcomeUnknown", "http-399")),
    (problem(500), ("OutcomeUnknown", "http-500")),
    (reply(404, {"type": "x"}), ("OutcomeUnknown", "http-404")),
    (reply(201, {"chargerId": CHARGER, "status": "Accepted"}), ("OutcomeUnknown", "http-201")),
    (reply(200, []), ("OutcomeUnknown", "charger")),
    (body("Accepted", chargerId="another"), ("OutcomeUnknown", "charger")),
    (body("Accepted", connectorId=-1), ("OutcomeUnknown", "types")),
    (body("Accepted", connectorId=True), ("OutcomeUnknown", "types")),
    (body("Accepted", errorCode="x"), ("OutcomeUnknown", "types")),
    (body("Accepted", errorCode=["NoError"]), ("OutcomeUnknown", "types")),
    (body("Accepted", info=5), ("OutcomeUnknown", "types")),
    (body(5), ("OutcomeUnknown", "types")),
    (body("x"), ("OutcomeUnknown", "status")),
]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        *ERRORS,
        (body("Accepted"), Answer(Outcome.ACCEPTED, "Accepted", 3)),
        (
            body("Charging", connectorId=2, errorCode="WeakSignal", info="x"),
            Answer(Outcome.ACCEPTED, "Charging", 2, "WeakSignal", "x"),
        ),
        (reply(200, {"chargerId": CHARGER, "status": "Accepted"}), Answer(Outcome.ACCEPTED, "Accepted", 0)),
        (body("Unavailable", info="not-connected"), offline("not-connected")),
        (body("Rejected"), rejected(None)),
        (body("Rejected", info="charger-refused x"), rejected("charger-refused x")),
        (body("Rejected", info="charger-refusedx"), rejected("charger-refusedx")._replace(provisional=True)),
        (body("Rejected", info="connector-busy"), rejected("connector-busy")._replace(provisional=True)),
    ],
)
def test_a_reply_to_a_start_has_one_answer(response: ServerReply, expected: Expected) -> None:
    exchange = Exchange(response)
    assert result(load("native"), command("native", connector=3), exchange) == expected
    payload = {"tokenId": "TAG1", "connectorId": 3}
    assert exchange.sent == [("PUT", f"{PATH}/connections/{ID}", payload, {"wait": True})]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        *ERRORS,
        (body("Available"), Answer(Outcome.STATUS, "Available", 3)),
        (body("Faulted", errorCode="WeakSignal", info="x"), Answer(Outcome.STATUS, "Faulted", 3, "WeakSignal", "x")),
        (body("Unavailable", info="not-connected x"), offline("not-connected x")),
        (body("Accepted"), ("OutcomeUnknown", "status")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("connector", "query"), [(3, "?connectorId=3"), (None, "")])
def test_a_reply_to_a_request_for_a_status_has_one_answer(
    connector: int | None, query: str, response: ServerReply, expected: Expected
) -> None:
    exchange = Exchange(response)
    assert result(load("native"), command("native", token=None, connector=connector), exchange) == expected
    assert exchange.sent == [("GET", f"{PATH}{query}", None, {"wait": True})]


def test_a_start_without_a_connector_names_none() -> None:
    exchange = Exchange(body("Accepted"))
    result(load("native"), command("native", connector=None), exchange)
    assert exchange.sent[0][2] == {"tokenId": "TAG1"}


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (None, rejected(None)),
        ("charger-refused", rejected("charger-refused")),
        ("connector-busy", ("OutcomeUnknown", "rejected")),
    ],
)
def test_in_doubt_only_the_charger_s_own_rejection_is_final(info: str | None, expected: Expected) -> None:
    exchange = Exchange(body("Rejected", info=info), doubt=True)
    assert result(load("native"), command("native", connector=3), exchange) == expected

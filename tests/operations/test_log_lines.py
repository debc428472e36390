"""Each attempt has two log lines, and no line contains a token."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

import charger_connect.flow
import charger_connect.handler
from charger_connect import observe
from tests.infrastructure.conftest import of_type
from tests.integration.calling import Caller, Context, request
from tests.integration.misbehaving import Misbehaving, hangs, sends_problem
from tests.operations.conftest import captured_lines, messages
from tests.operations.scenarios import run_all

if TYPE_CHECKING:
    from local.table import TableServer

TOKEN = 'se"cret/Tök€n <&> \\ 0123'
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def post(caller: Caller, members: dict[str, Any], **headers: str) -> dict[str, Any]:
    event = {
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userArn": "alice"}}},
        "body": json.dumps(members),
    }
    return charger_connect.handler.respond(event, Context(29.0), caller.service)


def test_an_attempt_is_logged_as_claimed_and_settled(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port, tokenId="04A2B3C4D5E6F7")
    with captured_lines() as lines:
        post(caller, members, **{"x-amzn-trace-id": TRACE})
    claimed, settled = messages(lines)
    both = {
        "id": members["id"],
        "chargerId": "CP-1",
        "server": f"127.0.0.1:{server.port}",
        "dialect": "native",
        "token": "****E6F7",
        "traceId": "1-5759e988-bd862e3fe1be46a994272793",
        "tries": 1,
    }
    assert claimed.items() >= {**both, "message": "claimed", "repeat": False, "caller": "alice"}.items()
    assert claimed["requestId"] == "a test", "Lambda's own line of a timeout has the same id"
    assert (
        settled.items() >= {**both, "message": "settled", "outcome": "accepted", "state": "completed"}.items()
    )
    assert set(settled["milliseconds"]) == {"claim", "link", "settle"}
    assert all(isinstance(took, int) for took in settled["milliseconds"].values())


def test_a_killed_invocation_logs_claimed_without_settled(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(charger_connect.flow, "call_server", die)
    with captured_lines() as lines, pytest.raises(Killed):
        post(caller, request(server.port))
    assert [line["message"] for line in messages(lines)] == ["claimed"]


def test_settled_contains_the_kind_of_the_failure(caller: Caller, server: Misbehaving) -> None:
    server.set_scripts(sends_problem(404))
    with captured_lines() as lines:
        post(caller, request(server.port))
    assert messages(lines)[-1]["kind"] == "charger-unknown"


@pytest.mark.parametrize(
    "message",
    [
        TOKEN,
        repr(TOKEN),
        json.dumps({"tokenId": TOKEN}),
        f"URL can't contain control characters. '/start/{quote(TOKEN)}'",
        f"No row for {TOKEN.upper()}",
    ],
)
def test_an_exception_whose_message_contains_the_token_is_logged_with_types_and_places_only(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    def crash(*_: object) -> None:
        try:
            raise KeyError(message)
        except KeyError as error:
            raise RuntimeError(message) from error

    monkeypatch.setattr(charger_connect.flow, "make_opening", crash)
    with captured_lines() as lines:
        answer = post(caller, request(server.port, tokenId=TOKEN))
    assert (answer["statusCode"], "internal-error" in answer["body"]) == (500, True)
    (line,) = messages(lines)
    assert [cause["type"] for cause in line["causes"]] == ["RuntimeError", "KeyError"]
    assert line["causes"][0]["places"][-1].endswith(" crash")
    logged = json.dumps(lines) + answer["body"]
    assert not [part for part in ("0123", "cret", "CRET", quote("Tök€n")) if part in logged]


def test_a_body_that_cannot_be_parsed_is_not_logged(caller: Caller) -> None:
    with captured_lines() as lines:
        for members in ({"tokenId": TOKEN}, {"id": TOKEN, "tokenId": TOKEN}, {"tokenId": TOKEN * 9, "id": 1}):
            assert post(caller, members)["statusCode"] == 400
    assert {line["message"] for line in messages(lines)} == {"refused"}
    assert "0123" not in json.dumps(lines)


def test_no_scenario_logs_a_token(shared_table: TableServer) -> None:
    with captured_lines() as lines:
        run_all(shared_table)
    logged = json.dumps(lines)
    assert len(messages(lines)) > 30
    assert "****" in logged
    assert "04A2B3" not in logged


def test_the_level_can_be_raised(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.set_scripts(hangs)
    caller.service = replace(caller.service, link_timeout=0.2)
    monkeypatch.setattr(observe._log._logger, "level", 30)
    logging.Logger.manager._clear_cache()  # type: ignore[attr-defined]
    with captured_lines() as lines:
        post(caller, request(server.port))
    monkeypatch.undo()
    logging.Logger.manager._clear_cache()  # type: ignore[attr-defined]
    assert messages(lines) == []
    assert "_aws" in lines[0], "metrics are not log lines, so the level does not affect them"


def test_saved_queries_use_only_messages_and_fields_that_are_logged(
    resources: dict[str, Any], shared_table: TableServer
) -> None:
    with captured_lines() as lines:
        run_all(shared_table)
    logged = messages(lines)
    fields = {name for line in logged for name in line} | {"status", "ip", "client", "route", "error"}
    fields |= set(json.loads(resources["ApiStage"]["Properties"]["AccessLogSettings"]["Format"]))
    queries = of_type(resources, "AWS::Logs::QueryDefinition")
    assert len(queries) > 8
    for name, properties in queries.items():
        text = properties["QueryString"]
        for literal in re.findall(r'message (?:=|in) (\[[^\]]*\]|"[^"]*")', text):
            messages_in_query = json.loads(literal)
            assert (
                {messages_in_query}
                if isinstance(messages_in_query, str)
                else set(messages_in_query) <= {line["message"] for line in logged}
            ), name
        for field in re.findall(r"\b(?:latest|pct|count_distinct|count)\((\w+)", text):
            assert field in fields, name

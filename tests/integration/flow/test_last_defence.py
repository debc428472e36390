"""After any exception in the service the caller receives a problem without a token, type or traceback."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from charger_link import Link
from common.journal import Journal
from tests.integration.calling import Caller, calling, request
from tests.integration.misbehaving import Misbehaving, hangs, responds_with, sends_problem, status_body

if TYPE_CHECKING:
    from local.table import TableServer

TOKEN = "04A2B3C4D5E6F7"


class Failing:
    """Replaces a part, and raises an unexpected exception."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} for {TOKEN}")


def test_an_exception_in_the_service_is_a_500_whose_outcome_is_unknown(caller: Caller) -> None:
    caller.service = replace(caller.service, journal=cast("Journal", Failing()))
    reply = caller.post(request(1, tokenId=TOKEN))
    assert (reply.status, reply.problem, reply.outcome) == (500, "internal-error", "unknown")
    assert TOKEN not in str(reply.body)
    assert "Traceback" not in str(reply.body)
    assert "RuntimeError" not in str(reply.body)


def test_after_an_exception_between_claim_and_settle_the_attempt_can_be_read(caller: Caller) -> None:
    caller.service = replace(caller.service, link=cast("Link", Failing()))
    members = request(1)
    assert caller.post(members).problem == "internal-error"
    assert caller.get(members["id"]).body["state"] == "pending"


def test_an_exception_in_a_dialect_leaves_the_outcome_unknown(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_error(*_: object) -> None:
        raise KeyError(TOKEN)

    monkeypatch.setattr("charger_link.dialects.native.read_result", raise_error)
    members = request(server.port, tokenId=TOKEN)
    reply = caller.post(members)
    assert (reply.status, reply.outcome) == (504, "unknown")
    assert TOKEN not in str(reply.body)
    assert caller.get(members["id"]).body["state"] == "unknown"


@pytest.mark.parametrize(
    "script", [responds_with(), responds_with(body=b"{}"), sends_problem(401), sends_problem(503), hangs]
)
def test_no_response_and_no_item_contains_a_token(
    script: Any, server: Misbehaving, table: TableServer
) -> None:
    server.set_scripts(script)
    with calling(table, LINK_TIMEOUT="0.3") as caller:
        reply = [
            caller.post(request(server.port, tokenId=TOKEN)),
            caller.post(request(server.port, tokenId=TOKEN * 3)),
            caller.post(request(server.port, tokenId=TOKEN, serverIpAddress="10.0.0.5")),
            caller.post(request(server.port, tokenId=TOKEN, chargerId=None)),
        ]
    assert TOKEN not in str(table.items())
    assert TOKEN not in str(reply)


def test_the_text_of_a_charger_cannot_break_a_response(caller: Caller, server: Misbehaving) -> None:
    """Characters that XML forbids, lone surrogates and line breaks, in the only text that is forwarded."""
    server.set_scripts(
        responds_with(body=status_body(info="charger-refused \x00\x1b\ud83d\r\nSet-Cookie: x"))
    )
    reply = caller.post(request(server.port))
    assert reply.status == 200
    assert reply.body["info"].startswith("charger-refused ")
    assert not any("\n" in value for value in reply.headers.values())

"""A server repeats the driver's token in its reply: neither the answer nor the detail of an error contains it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from charger_link import Answer, Circuits, Command, Link, LinkError, LinkServers
from charger_link.dialects import citrineos
from charger_link.secrets import Secrets
from common.transport import Deadline
from tests.integration.calling import Caller, calling, request
from tests.integration.misbehaving import Misbehaving, responds_with, status_body

if TYPE_CHECKING:
    from local.table import TableServer

DIALECTS = ("native", "steve", "citrineos", "ocpp-core", "ocpp-cs")
TOKEN = 'Zoë/04A2"B3'
FORMS = [TOKEN, TOKEN.lower(), TOKEN.upper(), quote(TOKEN, safe=""), json.dumps(TOKEN)[1:-1]]
STATUSES = (200, 202, 302, 400, 403, 404, 409, 422, 429, 500, 503, 504)


def result(server: Misbehaving, dialect: str, token: str = TOKEN, *, doubt: bool = False) -> Any:
    entry = {"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http", "dialect": dialect}
    command = Command(
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "CP-1", token, 1,
        LinkServers.parse(json.dumps([entry])).find("127.0.0.1", server.port),
        callback_url="http://127.0.0.1:9/callback", doubt=doubt,
    )  # fmt: skip
    try:
        return Link(Circuits(), Secrets.of(None)).connect(command, Deadline.after(5))
    except LinkError as error:
        return error


def leaks(text: str) -> bool:
    return any(part in text for part in ("04A2", "04a2", "Zoë", "zoë", "Zo%", "Zo\\u", "ZOË"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_of_what_a_server_repeats_nothing_is_left(dialect: str, server: Misbehaving) -> None:
    """In each member of each body that the dialect reads, with each status code."""
    for form in FORMS:
        bodies: list[Any] = [
            {"chargerId": "CP-1", "connectorId": 1, "status": "Rejected", "info": f"charger-refused tag {form}"},
            {"chargerId": "CP-1", "connectorId": 1, "status": "Rejected", "info": f"{form} is refused"},
            {"type": form, "title": form, "detail": form, "message": form, "error": {"message": form, "code": form}},
            {"status": "Rejected", "statusInfo": {"reasonCode": form, "additionalInfo": form}},
            {"successResponses": [{"chargeBoxId": "CP-1", "response": form}]},
            {"errorResponses": [{"chargeBoxId": "CP-1", "errorCode": form, "errorDescription": form}]},
            {"exceptions": [{"chargeBoxId": "CP-1", "exceptionMessage": form}]},
            [{"success": False, "payload": form}],
            [{"success": False, "payload": f"Requested protocol: 'ocpp1.6', connection protocol: 'ocpp{form}'"}],
            {"error": True, "errorCode": form, "errorDescription": form},
            form,
        ]  # fmt: skip
        for body in bodies:
            for kind in ("application/json", "application/problem+json", "text/html"):
                for status in STATUSES if body is bodies[2] else (200,):
                    server.set_scripts(responds_with(status, json.dumps(body).encode(), kind))
                    got = result(server, dialect)
                    text_returned = (
                        str(got.info) if isinstance(got, Answer) else str(getattr(got, "detail", ""))
                    )
                    assert not leaks(text_returned), (dialect, status, body, text_returned)


def test_a_token_is_masked_before_the_text_is_cut(server: Misbehaving) -> None:
    """The token begins before the fiftieth character and ends after it."""
    info = "charger-refused the card that was presented: 04A2B3C4D5E6"
    server.set_scripts(responds_with(body=status_body(status="Rejected", info=info)))
    got = result(server, "native", "04A2B3C4D5E6")
    assert got.info == "charger-refused the card that was presented: ***"
    server.set_scripts(
        responds_with(body=status_body(status="Rejected", info=info[:50]))
    )  # cut by the server
    assert result(server, "native", "04A2B3C4D5E6").info == got.info


def test_the_masked_text_is_cut_at_fifty_characters_and_can_be_encoded(server: Misbehaving) -> None:
    server.set_scripts(
        responds_with(body=status_body(status="Rejected", info="charger-refused " + "\ud83d" * 60))
    )
    assert result(server, "native").info == "charger-refused " + "?" * 34


@pytest.mark.parametrize("reason", ["04A2B3C4", "tag 04A2B3C4", "Unspecified 04A2B3C4"])
def test_a_callback_keeps_only_reasons_of_ocpp(reason: str) -> None:
    """The function that receives callbacks does not know the token."""
    body = {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
    assert citrineos.read_callback(body, 1).info == "charger-refused"
    body["statusInfo"] = {"reasonCode": "TxInProgress"}
    assert citrineos.read_callback(body, 1).info == "connector-busy TxInProgress"


def test_neither_the_caller_nor_the_journal_receives_the_token(
    table: TableServer, server: Misbehaving
) -> None:
    token = "04A2B3C4D5E6"
    server.set_scripts(
        responds_with(
            body=status_body(status="Rejected", info=f"charger-refused tag {token.lower()} of {token}")
        )
    )
    with calling(table) as caller:
        members = request(server.port, tokenId=token)
        reply = caller.post(members)
        assert reply.body["info"] == "charger-refused tag *** of ***"
        assert recorded(caller, members) == reply.body
    assert token.lower() not in str(table.items()).lower()


def recorded(caller: Caller, members: dict[str, Any]) -> Any:
    return caller.get(members["id"]).body["answer"]

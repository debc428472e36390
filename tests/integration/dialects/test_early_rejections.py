"""A rejection from before the charger was asked, in every dialect but native: `failed`, and the same id asks again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from charger_link import Circuits, Command, Link, LinkServers, OutcomeUnknown
from charger_link.secrets import Secrets
from common.transport import Deadline
from tests.integration.calling import LOOPBACK, calling, request
from tests.integration.misbehaving import Misbehaving, Script, responds_with

if TYPE_CHECKING:
    from local.table import TableServer

LONG = "04A2B3C4D5E6F70819203"
NO_TAG = "Requested OCPP Tag is not eligible for this operation."
OTHER_VERSION = "Requested protocol: 'ocpp{}', connection protocol: 'ocpp{}' for identifier: '1:CP-1'"


def json_of(status: int, body: Any) -> Script:
    return responds_with(status, json.dumps(body).encode())


def of_citrineos(asked: str, spoken: str) -> Script:
    return json_of(200, [{"success": False, "payload": OTHER_VERSION.format(asked, spoken)}])


# The dialect, the token, what its server answers, the word of the rejection, and how often the server is asked for it.
REJECTIONS: dict[str, tuple[str, str, list[Script], str, int]] = {
    "SteVe: the tag is not eligible": ("steve", "TAG1", [json_of(400, {"message": NO_TAG})], "token-refused", 1),
    "SteVe: the token is too long": ("steve", LONG, [responds_with()], "token-too-long", 0),
    "SteVe: a character of the token": ("steve", "TAG 1", [responds_with()], "not-supported a character of the token", 0),
    "OCPP.Core: a slash": ("ocpp-core", "TAG/1", [responds_with()], "not-supported a slash in a token", 0),
    "OCPP.Core: dots only": ("ocpp-core", "..", [responds_with()], "not-supported a token of dots only", 0),
    "OCPP.Core: the token is too long": (
        "ocpp-core", LONG, [json_of(200, [{"id": "CP-1", "protocol": "ocpp1.6"}])], "token-too-long", 1,
    ),
    "ocpp-cs: the token is too long": (
        "ocpp-cs", LONG, [json_of(400, {"error": {"code": 400, "message": "Invalid key: idToken"}})], "token-too-long", 1,
    ),
    "CitrineOS: the token is too long": ("citrineos", LONG, [of_citrineos("2.0.1", "1.6")], "token-too-long", 1),
    "CitrineOS: another version of OCPP": ("citrineos", "TAG1", [of_citrineos("1.6", "2.1")], "not-supported OCPP 2.1", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", REJECTIONS)
def test_it_is_recorded_as_failed_and_the_same_id_asks_again(
    name: str, table: TableServer, server: Misbehaving
) -> None:
    dialect, token, scripts, info, asked = REJECTIONS[name]
    server.set_scripts(*scripts)
    members = request(server.port, tokenId=token)
    entry = {**LOOPBACK, "dialect": dialect}
    with calling(table, entry, CALLBACK_BASE_URL="https://charge.example.com") as caller:
        for tries in (1, 2):
            heard = caller.post(members)
            assert (heard.status, heard.outcome) == (200, "rejected")
            assert (heard.body["status"], heard.body["info"]) == ("Rejected", info)
            assert "Idempotent-Replayed" not in heard.headers
            shown = caller.get(members["id"]).body
            assert (shown["state"], shown["outcome"], shown["answer"]) == ("failed", "rejected", heard.body)
            assert (shown["tries"], len(server.requests)) == (tries, tries * asked)


@pytest.mark.parametrize("name", REJECTIONS)
def test_in_doubt_it_says_nothing_of_the_earlier_call(name: str, server: Misbehaving) -> None:
    """As after an offline charger: the earlier request may have reached the server, or still reach it."""
    dialect, token, scripts, _, asked = REJECTIONS[name]
    server.set_scripts(*scripts)
    servers = LinkServers.parse(json.dumps([{**LOOPBACK, "dialect": dialect}]))
    command = Command(
        id=str(uuid4()),
        charger_id="CP-1",
        token=token,
        connector=1,
        server=servers.find("127.0.0.1", server.port),
        callback_url="https://charge.example.com/api/v1/ocpp/callbacks/id/1/s",
        doubt=True,
    )
    with pytest.raises(OutcomeUnknown) as raised:
        Link(Circuits(), Secrets.of(None)).connect(command, Deadline.after(10))
    assert raised.value.kind == "not-asked"
    assert len(server.requests) == asked

"""Rejections before the charger receives the start, in every dialect but native: the attempt is `failed` and can be repeated."""

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


def send_json(status: int, body: Any) -> Script:
    return responds_with(status, json.dumps(body).encode())


def send_other_version(requested: str, spoken: str) -> Script:
    return send_json(200, [{"success": False, "payload": OTHER_VERSION.format(requested, spoken)}])


# The dialect, the token, the server's responses, the `info` of the rejection, and the number of requests for each try.
REJECTIONS: dict[str, tuple[str, str, list[Script], str, int]] = {
    "SteVe: the tag is not eligible": ("steve", "TAG1", [send_json(400, {"message": NO_TAG})], "token-refused", 1),
    "SteVe: the token is too long": ("steve", LONG, [responds_with()], "token-too-long", 0),
    "SteVe: a character of the token": ("steve", "TAG 1", [responds_with()], "not-supported a character of the token", 0),
    "OCPP.Core: a slash": ("ocpp-core", "TAG/1", [responds_with()], "not-supported a slash in a token", 0),
    "OCPP.Core: dots only": ("ocpp-core", "..", [responds_with()], "not-supported a token of dots only", 0),
    "OCPP.Core: the token is too long": (
        "ocpp-core", LONG, [send_json(200, [{"id": "CP-1", "protocol": "ocpp1.6"}])], "token-too-long", 1,
    ),
    "ocpp-cs: the token is too long": (
        "ocpp-cs", LONG, [send_json(400, {"error": {"code": 400, "message": "Invalid key: idToken"}})], "token-too-long", 1,
    ),
    "CitrineOS: the token is too long": ("citrineos", LONG, [send_other_version("2.0.1", "1.6")], "token-too-long", 1),
    "CitrineOS: another version of OCPP": ("citrineos", "TAG1", [send_other_version("1.6", "2.1")], "not-supported OCPP 2.1", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", REJECTIONS)
def test_it_is_recorded_as_failed_and_the_same_id_is_sent_again(
    name: str, table: TableServer, server: Misbehaving
) -> None:
    dialect, token, scripts, info, request_count = REJECTIONS[name]
    server.set_scripts(*scripts)
    members = request(server.port, tokenId=token)
    entry = {**LOOPBACK, "dialect": dialect}
    with calling(table, entry, CALLBACK_BASE_URL="https://charge.example.com") as caller:
        for tries in (1, 2):
            reply = caller.post(members)
            assert (reply.status, reply.outcome) == (200, "rejected")
            assert (reply.body["status"], reply.body["info"]) == ("Rejected", info)
            assert "Idempotent-Replayed" not in reply.headers
            shown = caller.get(members["id"]).body
            assert (shown["state"], shown["outcome"], shown["answer"]) == ("failed", "rejected", reply.body)
            assert (shown["tries"], len(server.requests)) == (tries, tries * request_count)


@pytest.mark.parametrize("name", REJECTIONS)
def test_in_doubt_it_does_not_settle_the_earlier_call(name: str, server: Misbehaving) -> None:
    """The earlier request may have reached the server, or may still reach it. The same holds for an offline charger."""
    dialect, token, scripts, _, request_count = REJECTIONS[name]
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
    assert len(server.requests) == request_count

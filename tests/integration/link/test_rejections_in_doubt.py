"""A native rejection is final where it is the charger's own, or where no earlier request is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charger_link import Outcome, OutcomeUnknown
from tests.integration.calling import Caller, calling, request
from tests.integration.link.test_link import BREAKS, command, connect, failure
from tests.integration.misbehaving import Misbehaving, Peer, responds_with, status_body

if TYPE_CHECKING:
    from local.table import TableServer

CHARGERS = [None, "", "charger-refused", "charger-refused TxStarted"]
SERVERS = ["token-too-long", "token-refused", "not-supported x", "connector-busy", "charger-refusedly", "no"]


def rejects(info: str | None) -> bytes:
    return status_body(status="Rejected", info=info)


@pytest.mark.parametrize("info", SERVERS)
@pytest.mark.parametrize("earlier", [True, False], ids=["an earlier call", "this call"])
def test_in_doubt_a_rejection_of_the_server_leaves_it_unknown(
    info: str, earlier: bool, server: Misbehaving
) -> None:
    server.set_scripts(*[BREAKS] * (not earlier), responds_with(body=rejects(info)))
    error = failure(command(server)._replace(doubt=earlier))
    assert (type(error), error.kind) == (OutcomeUnknown, "rejected")


@pytest.mark.parametrize("info", CHARGERS)
def test_in_doubt_the_chargers_own_rejection_is_final(info: str | None, server: Misbehaving) -> None:
    server.set_scripts(BREAKS, responds_with(body=rejects(info)))
    assert connect(command(server)).outcome is Outcome.REJECTED


@pytest.mark.parametrize("info", [*SERVERS, *CHARGERS])
def test_without_doubt_each_rejection_is_final(info: str | None, server: Misbehaving) -> None:
    server.set_scripts(responds_with(body=rejects(info)))
    assert connect(command(server)).outcome is Outcome.REJECTED


def test_a_start_that_arrives_after_its_repeat_was_rejected_is_not_called_rejected(
    table: TableServer, server: Misbehaving
) -> None:
    """The first PUT is on its way while the repeat receives `token-too-long`, and starts the charge afterwards."""

    def loses(peer: Peer) -> None:
        peer.read()

    server.set_scripts(loses, loses, loses, responds_with(body=rejects("token-too-long")))
    members = request(server.port)
    with calling(table) as caller:
        assert caller.post(members).outcome == "unknown"
        assert caller.post(members).outcome == "unknown"
        assert state(caller, members["id"]) == "unknown"
        server.set_scripts(responds_with())  # the late one has started it
        assert caller.post(members).outcome == "accepted"


def state(caller: Caller, id_: str) -> str:
    return str(caller.get(id_).body["state"])

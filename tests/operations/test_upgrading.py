"""Items of other versions of the service can be read: with missing attributes, and with unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from common.journal import fingerprint
from tests.integration.calling import Caller, request
from tests.integration.misbehaving import Misbehaving

if TYPE_CHECKING:
    from local.table import TableServer

CREATED = "2020-01-01T00:00:00.000000Z"
ANSWER = {
    "outcome": {"S": "accepted"},
    "connectorId": {"N": "1"},
    "errorCode": {"S": "NoError"},
    "status": {"S": "Accepted"},
    "info": {"NULL": True},
}
OF_LATER_VERSION = {
    "newText": {"S": "x"},
    "newList": {"L": [{"S": "x"}, {"M": {"a": {"BOOL": True}}}]},
    "newSet": {"SS": ["x", "y"]},
    "newNumbers": {"NS": ["1", "2.5"]},
    "newFlag": {"BOOL": False},
    "newNothing": {"NULL": True},
    "newBytes": {"B": "AAEC"},
}


def put(table: TableServer, caller: Caller, members: dict[str, Any], state: str, **more: Any) -> None:
    """Store an item with the attributes that every version writes, and `more`."""
    fields = ("CP-1", members["tokenId"], f"127.0.0.1:{members['serverRestApiPort']}", None, "alice")
    item = {
        "id": {"S": members["id"]},
        "chargerId": {"S": "CP-1"},
        "state": {"S": state},
        "createdAt": {"S": CREATED},
        "updatedAt": {"S": CREATED},
        "fingerprint": {"B": _base64(fingerprint(caller.service.secret, *fields))},
        **more,
    }
    table.call("PutItem", {"TableName": table.name, "Item": item})


def _base64(value: bytes) -> str:
    from base64 import b64encode

    return b64encode(value).decode()


@pytest.mark.parametrize("more", [{}, OF_LATER_VERSION], ids=["fewer attributes", "unknown attributes"])
def test_a_completed_attempt_is_replayed_and_shown(
    caller: Caller, table: TableServer, server: Misbehaving, more: dict[str, Any]
) -> None:
    members = request(server.port)
    put(table, caller, members, "completed", answer={"M": {**ANSWER, **more}}, **more)
    reply = caller.post(members)
    assert (reply.status, reply.headers["Idempotent-Replayed"]) == (200, "true")
    assert reply.body["status"] == "Accepted"
    assert server.requests == []
    for attempt in (caller.get(members["id"]).body, caller.list("CP-1").body["attempts"][0]):
        assert (attempt["state"], attempt["outcome"]) == ("completed", "accepted")
        assert (attempt["server"], attempt["token"], attempt["tries"]) == (None, None, 1)


@pytest.mark.parametrize("more", [{}, OF_LATER_VERSION], ids=["fewer attributes", "unknown attributes"])
@pytest.mark.parametrize(("state", "status"), [("failed", 200), ("unknown", 504), ("pending", 504)])
def test_a_repeat_of_an_attempt_that_is_not_completed_follows_its_state(
    caller: Caller, table: TableServer, server: Misbehaving, state: str, status: int, more: dict[str, Any]
) -> None:
    members = request(server.port)
    put(table, caller, members, state, **more)
    assert caller.get(members["id"]).body["state"] == ("unknown" if state == "pending" else state)
    assert caller.post(members).status == status
    assert len(server.requests) == (1 if status == 200 else 0)
    (item,) = table.items()
    assert set(more) <= set(item), "attributes of a later version are kept"


def test_an_item_matches_only_its_own_request_and_caller(
    caller: Caller, table: TableServer, server: Misbehaving
) -> None:
    members = request(server.port)
    put(table, caller, members, "completed", answer={"M": ANSWER})
    assert caller.post(members, caller="mallory").problem == "id-reused"
    assert caller.post({**members, "tokenId": str(uuid4())}).problem == "id-reused"

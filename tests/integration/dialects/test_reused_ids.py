"""Callbacks for an id whose item was deleted, and which a request for another charger then used."""

from __future__ import annotations

import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from common.journal import callbacks
from common.journal.attempt import Attempt
from local.chargers import Behaviour, Reaction
from tests.integration.dialects.deployed import SECRET, Deployed, call_back, deployed
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer
    from tests.integration.calling import CallerResponse

ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def stack(table: TableServer) -> Iterator[Deployed]:
    """Run charge points that never answer, so that only the tests send callbacks."""
    silent = [Behaviour(name, reaction=Reaction.SILENT) for name in ("CP-A", "CP-B")]
    with deployed(table, silent, LINK_TIMEOUT="0.3") as stack:
        yield stack


def create_unknown(stack: Deployed, charger: str, **changes: Any) -> str:
    members = stack.request(charger, **changes)
    assert stack.caller.post(members).status == 504
    return str(members["id"])


def test_a_callback_of_the_first_attempt_is_refused(stack: Deployed, table: TableServer) -> None:
    id_ = create_unknown(stack, "CP-A")
    first = stack.url_of(id_)
    table.clear()
    create_unknown(stack, "CP-B", id=id_)
    before = stack.item(id_)
    assert before["tries"] == {"N": "1"}
    assert call_back(first, ACCEPTED)[0] == 404
    assert stack.item(id_) == before
    second = eventually(lambda: [url for url in stack.citrineos.callback_urls if url != first])[-1]
    assert call_back(second, ACCEPTED)[0] == 204
    assert stack.state(id_) == ("completed", "accepted")


def test_the_waiting_call_of_the_first_does_not_return_the_answer_of_the_second(
    stack: Deployed, table: TableServer
) -> None:
    members = stack.request("CP-A")
    replies: list[CallerResponse] = []
    waiting = Thread(target=lambda: replies.append(stack.caller.post(members)))
    waiting.start()
    stack.url_of(members["id"])
    table.clear()
    other = {**members, "chargerId": "CP-B"}
    assert stack.caller.post(other).status == 504
    call_back(stack.citrineos.callback_urls[-1], ACCEPTED)
    waiting.join()
    assert (replies[0].status, replies[0].outcome) == (504, "unknown")
    assert stack.item(members["id"])["chargerId"] == {"S": "CP-B"}


def test_a_url_of_version_1_0_is_valid_while_its_item_has_no_key(stack: Deployed, table: TableServer) -> None:
    id_ = create_unknown(stack, "CP-A")
    item = stack.item(id_)
    del item["attemptKey"]
    path = callbacks.create_path(SECRET.encode(), Attempt.of(item), time.time())
    url = f"{stack.gateway.url}/api/v1/ocpp/callbacks/{path}"
    assert "?" not in url
    assert call_back(url, ACCEPTED)[0] == 404, "this item has a key"
    table.call("PutItem", {"TableName": table.name, "Item": item})
    assert call_back(url, ACCEPTED)[0] == 204
    assert stack.state(id_) == ("completed", "accepted")


def test_a_callback_for_a_deleted_item_creates_no_item(stack: Deployed, table: TableServer) -> None:
    url = stack.url_of(create_unknown(stack, "CP-A"))
    deleted = []

    def delete_before_the_write(operation: str, _: dict[str, Any]) -> None:
        if operation == "UpdateItem":
            table.clear()
            deleted.append(operation)

    table.on_request = delete_before_the_write
    assert call_back(url, ACCEPTED)[0] == 204
    assert deleted
    assert table.items() == []

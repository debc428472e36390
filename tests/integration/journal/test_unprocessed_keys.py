"""A throttled table that leaves keys of a batch unprocessed, over a real socket."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from common.aws.credentials import Credentials
from common.journal import DynamoDB, Journal, JournalUnavailable
from common.transport import Deadline
from tests.integration.misbehaving import Misbehaving, Peer, response
from tests.unit.journal.transitions import item

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = ["c", "b", "a"]
MAX_CALLS = 60  # calls in a second; without pauses there are more than a thousand


class ThrottledTable:
    """Returns three keys for a query, and the first `serves` items of a batch; it leaves the other keys unprocessed."""

    def __init__(self) -> None:
        self.serves = 0
        self.batches: list[list[str]] = []

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.read()
            body = json.loads(request.body)
            if request.headers["x-amz-target"].endswith(".Query"):
                document: object = {"Items": [{"id": {"S": id_}} for id_ in IDS]}
            else:
                keys = body["RequestItems"]["attempts"]["Keys"]
                self.batches.append([key["id"]["S"] for key in keys])
                unprocessed = keys[self.serves :]
                document = {
                    "Responses": {"attempts": [item(id=key["id"]["S"]) for key in keys[: self.serves]]},
                    "UnprocessedKeys": {"attempts": {"Keys": unprocessed}} if unprocessed else {},
                }
            peer.send(response(200, json.dumps(document).encode()))


@pytest.fixture
def table() -> ThrottledTable:
    return ThrottledTable()


@pytest.fixture
def journal(table: ThrottledTable) -> Iterator[Journal]:
    with closing(Misbehaving(table)) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}"
        with closing(DynamoDB(url, "eu-west-1", lambda: Credentials("A", "s", None))) as client:
            yield Journal(client, "attempts")


def test_unprocessed_keys_are_requested_after_a_pause_until_the_deadline(
    journal: Journal, table: ThrottledTable
) -> None:
    with pytest.raises(JournalUnavailable, match=r"UnprocessedKeys|timeout"):
        journal.newest("CP-1", 3, None, Deadline.after(1.0))
    assert 1 < len(table.batches) < MAX_CALLS


def test_only_unprocessed_keys_are_requested_and_the_order_is_kept(
    journal: Journal, table: ThrottledTable
) -> None:
    table.serves = 1
    page = journal.newest("CP-1", 3, None, Deadline.after(10.0))
    assert [attempt.id for attempt in page.attempts] == IDS
    assert table.batches == [IDS, IDS[1:], IDS[2:]]


def test_the_backoff_is_that_of_every_other_call(
    journal: Journal, table: ThrottledTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[float] = []

    def longest(_: float, bound: float) -> float:
        bounds.append(bound)
        return 0.0

    monkeypatch.setattr("common.aws.client.random.uniform", longest)
    table.serves = 1
    journal.newest("CP-1", 3, None, Deadline.after(10.0))
    assert bounds == [0.025, 0.05]

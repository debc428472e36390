"""The table reports the changes of items as its stream would: both images, in the order of the updates."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

    Change = tuple[dict[str, Any] | None, dict[str, Any]]


@pytest.fixture
def changes(table: TableServer) -> Iterator[list[Change]]:
    found: list[Change] = []
    table.on_change = lambda old, new: found.append((old, new))
    yield found
    table.on_change = None


def update(table: TableServer, id_: str, expression: str, **more: Any) -> int:
    body = {"TableName": table.name, "Key": {"id": {"S": id_}}, "UpdateExpression": expression, **more}
    connection = HTTPConnection(urlsplit(table.url).netloc, timeout=30)
    headers = {"X-Amz-Target": "DynamoDB_20120810.UpdateItem"}
    connection.request("POST", "/", json.dumps(body), headers)
    status = connection.getresponse().status
    connection.close()
    return status


def set_note(table: TableServer, text: str, id_: str = "one", **more: Any) -> int:
    values = {":note": {"S": text}}
    return update(table, id_, "SET note = :note", ExpressionAttributeValues=values, **more)


def test_each_update_is_reported_with_the_images_before_and_after(
    table: TableServer, changes: list[Change]
) -> None:
    assert set_note(table, "a") == set_note(table, "b") == 200
    key = {"id": {"S": "one"}}
    assert changes == [
        (None, {**key, "note": {"S": "a"}}),
        ({**key, "note": {"S": "a"}}, {**key, "note": {"S": "b"}}),
    ]


def test_an_update_that_changes_nothing_or_whose_condition_fails_is_not_reported(
    table: TableServer, changes: list[Change]
) -> None:
    set_note(table, "a")
    changes.clear()
    assert set_note(table, "a") == 200
    assert set_note(table, "b", ConditionExpression="attribute_not_exists(id)") == 400
    assert update(table, "two", "REMOVE note", ConditionExpression="attribute_exists(id)") == 400
    assert changes == []


def test_concurrent_updates_of_an_item_are_reported_as_one_sequence(
    table: TableServer, changes: list[Change]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda number: set_note(table, str(number)), range(40))) == {200}
    assert len(changes) == 40
    assert [old for old, _ in changes] == [None, *(new for _, new in changes[:-1])]

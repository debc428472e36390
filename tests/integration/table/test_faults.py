"""The faults that the embedded table can simulate: what a client receives, and what is written."""

from __future__ import annotations

import json
from contextlib import suppress
from http.client import HTTPConnection, RemoteDisconnected
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from local.table import BROKEN, LOST_RESPONSE, OVERLOADED, REFUSED, THROTTLED, Fault

if TYPE_CHECKING:
    from local.table import TableServer


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (THROTTLED, 400, "ThrottlingException"),
        (OVERLOADED, 400, "ProvisionedThroughputExceededException"),
        (BROKEN, 500, "InternalServerError"),
    ],
)
def test_an_error_of_dynamodb_is_returned_and_nothing_is_written(
    table: TableServer, fault: Fault, status: int, code: str
) -> None:
    table.on_request = lambda *_: fault
    returned, document = put(table)
    assert (returned, document["__type"].rpartition("#")[2]) == (status, code)
    assert table.items() == []


def test_a_refused_request_gets_no_response_and_is_not_applied(table: TableServer) -> None:
    table.on_request = lambda *_: REFUSED
    with pytest.raises(RemoteDisconnected):
        put(table)
    assert table.items() == []


def test_a_request_whose_response_is_lost_is_applied(table: TableServer) -> None:
    table.on_request = lambda *_: LOST_RESPONSE
    with pytest.raises(RemoteDisconnected):
        put(table)
    assert [item["id"]["S"] for item in table.items()] == ["a"]


def test_an_error_can_be_returned_for_a_write_that_was_applied(table: TableServer) -> None:
    table.on_request = lambda *_: Fault(error="InternalServerError")
    assert put(table)[0] == 500
    assert len(table.items()) == 1


def test_the_hook_receives_operation_and_body_and_may_return_no_fault(table: TableServer) -> None:
    seen: list[tuple[str, str]] = []

    def hook(operation: str, body: dict[str, Any]) -> Fault | None:
        seen.append((operation, body["TableName"]))
        return THROTTLED if len(seen) == 1 else None

    table.on_request = hook
    assert [put(table)[0], put(table)[0]] == [400, 200]
    assert seen == [("PutItem", table.name)] * 2
    assert table.operations == {"PutItem": 2}


def test_a_delayed_request_does_not_delay_others(table: TableServer) -> None:
    table.on_request = lambda operation, _: Fault(delay=60) if operation == "PutItem" else None
    slow = Thread(target=put_and_ignore_errors, args=(table,), daemon=True)
    slow.start()
    assert table.call("Scan", {"TableName": table.name})["Items"] == []
    assert send(table, "Scan", {"TableName": table.name})[1]["Items"] == []
    assert slow.is_alive()


def put_and_ignore_errors(table: TableServer) -> None:
    with suppress(OSError):
        put(table)


def put(table: TableServer) -> tuple[int, dict[str, Any]]:
    return send(table, "PutItem", {"TableName": table.name, "Item": {"id": {"S": "a"}}})


def send(table: TableServer, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection(table.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", "/", json.dumps(body), {"X-Amz-Target": f"DynamoDB_20120810.{operation}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()

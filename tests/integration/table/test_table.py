"""The embedded table: created from the template, correct under concurrency, usable with boto3 and over one persistent connection."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from local import template
from local.table import REGION, TableError, start_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from local.table import TableServer


def client(table: TableServer, region: str = REGION) -> DynamoDBClient:
    return boto3.client(
        "dynamodb",
        endpoint_url=table.url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50),
    )


def test_the_table_has_the_keys_the_indexes_and_the_time_to_live_of_the_template(table: TableServer) -> None:
    wanted = template.read().tables["AttemptsTable"]
    dynamodb = client(table)
    described = dynamodb.describe_table(TableName=table.name)["Table"]
    assert described["KeySchema"] == wanted.properties["KeySchema"]
    indexes = {index["IndexName"]: index for index in described["GlobalSecondaryIndexes"]}
    wanted_indexes = wanted.properties["GlobalSecondaryIndexes"]
    assert set(indexes) == {index["IndexName"] for index in wanted_indexes}
    for index in wanted_indexes:
        assert {name: indexes[index["IndexName"]].get(name) for name in index} == index
    expiry = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expiresAt")


def test_exactly_one_of_fifty_concurrent_conditional_updates_succeeds(table: TableServer) -> None:
    dynamodb = client(table)

    def claim(owner: str) -> str:
        try:
            dynamodb.update_item(
                TableName=table.name,
                Key={"id": {"S": "one"}},
                UpdateExpression="SET #o = :o",
                ConditionExpression="attribute_not_exists(id)",
                ExpressionAttributeNames={"#o": "owner"},
                ExpressionAttributeValues={":o": {"S": owner}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            return str(error.response["Item"]["owner"]["S"])  # type: ignore[typeddict-item]
        return owner

    with ThreadPoolExecutor(50) as pool:
        winners = set(pool.map(claim, map(str, range(50))))
    assert winners == {table.items()[0]["owner"]["S"]}
    assert table.operations["UpdateItem"] == 50


def test_one_connection_serves_several_operations(table: TableServer) -> None:
    connection = HTTPConnection(table.url.removeprefix("http://"))
    connection.connect()
    socket = connection.sock
    for number in range(3):
        body = {"TableName": table.name, "Item": {"id": {"S": str(number)}}}
        connection.request("POST", "/", json.dumps(body), {"X-Amz-Target": "DynamoDB_20120810.PutItem"})
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())) == (200, {})
        assert connection.sock is socket
    connection.close()
    assert sorted(item["id"]["S"] for item in table.items()) == ["0", "1", "2"]


def test_a_client_of_another_region_can_use_the_table(table: TableServer) -> None:
    put(table, "a")
    assert client(table, "us-east-1").scan(TableName=table.name)["Count"] == 1


def test_two_tables_of_one_process_are_separate(table: TableServer) -> None:
    other = start_table()
    try:
        put(other, "mine")
        assert table.items() == []
        assert other.items() == [{"id": {"S": "mine"}}]
    finally:
        other.close()


def test_clearing_leaves_an_empty_table(table: TableServer) -> None:
    put(table, "a")
    put(table, "b")
    table.clear()
    assert table.items() == []


def test_an_error_has_the_code_of_dynamodb(table: TableServer) -> None:
    with pytest.raises(TableError) as raised:
        table.call("GetItem", {"TableName": "no-such-table", "Key": {"id": {"S": "a"}}})
    assert raised.value.code == "ResourceNotFoundException"


def test_a_port_in_use_is_an_error_at_once(table: TableServer) -> None:
    with pytest.raises(OSError, match="in use"):
        start_table(port=int(table.url.rpartition(":")[2]))


def put(table: TableServer, key: str) -> dict[str, Any]:
    return table.call("PutItem", {"TableName": table.name, "Item": {"id": {"S": key}}})

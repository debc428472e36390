"""The embedded table without its HTTP server: the model does not need it, and a write takes half the time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from common.transport import Response
from local.table import REGION

if TYPE_CHECKING:
    from local.table import TableServer


class Table:
    """Reads and writes of a table that `local.table` created from the template."""

    def __init__(self, server: TableServer) -> None:
        self.name = server.name

    def update(self, body: dict[str, Any]) -> Response:
        """Return DynamoDB's response to an UpdateItem."""
        handler = DynamoHandler()
        handler.region, handler.current_account = REGION, DEFAULT_ACCOUNT_ID
        handler.headers, handler.body, handler.params = {}, body, body
        try:
            return Response(200, {}, json.dumps(handler.update_item().result).encode())
        except DynamodbException as error:
            return Response(400, {}, error.description.encode())

    def read(self, body: dict[str, Any]) -> Response:
        """Return DynamoDB's response to a GetItem."""
        stored = self.item(body["Key"]["id"]["S"])
        return Response(200, {}, json.dumps({"Item": stored} if stored else {}).encode())

    def delete(self, id_: str) -> None:
        """Delete an item, as an operator or its time to live does."""
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].delete_item(self.name, {"id": {"S": id_}})

    def item(self, id_: str) -> dict[str, Any] | None:
        """Return an item in DynamoDB's notation."""
        item = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_item(self.name, {"id": {"S": id_}}, None)
        return json.loads(json.dumps(item.to_json()["Attributes"])) if item else None

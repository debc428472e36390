"""Check the rights on the table without changing it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from common.journal.dynamodb import ConditionFailed
from common.journal.history import INDEX

if TYPE_CHECKING:
    from collections.abc import Collection

    from common.journal.dynamodb import DynamoDB
    from common.transport import Deadline

_ABSENT_ID = "nobody"  # not a GUID, so never an attempt's id


def check_access(dynamodb: DynamoDB, table: str, operations: Collection[str], deadline: Deadline) -> None:
    """Execute each of the operations (``GetItem``, ``UpdateItem`` ...) on an item that never exists: nothing changes.

    Raises
    ------
    JournalUnavailable
        The first operation that fails; its reason is ``AccessDeniedException`` if a right is missing.
    """
    key, of_table = {"id": {"S": _ABSENT_ID}}, {"TableName": table}
    bodies: dict[str, dict[str, Any]] = {
        "GetItem": {**of_table, "Key": key},
        "BatchGetItem": {"RequestItems": {table: {"Keys": [key]}}},
        "Query": {
            **of_table,
            "IndexName": INDEX,
            "KeyConditionExpression": "chargerId = :charger",
            "ExpressionAttributeValues": {":charger": {"S": _ABSENT_ID}},
            "Limit": 1,
        },
        "UpdateItem": {
            **of_table,
            "Key": key,
            "UpdateExpression": "REMOVE answer",
            "ConditionExpression": "attribute_exists(id)",
        },
    }
    for operation in operations:
        with suppress(ConditionFailed):
            dynamodb.call(operation, bodies[operation], deadline)

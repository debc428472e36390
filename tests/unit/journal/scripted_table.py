"""Replaces the DynamoDB client: returns the given responses in order, and keeps the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal import Journal
from tests.unit.journal.transitions import NOW

if TYPE_CHECKING:
    from common.transport import Deadline


class ScriptedTable:
    def __init__(self, *responses: dict[str, Any] | Exception) -> None:
        self._responses = list(responses)
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        self.requests.append((operation, body))
        response = self._responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    def journal(self) -> Journal:
        return Journal(self, "attempts", repeatable=("native",), clock=lambda: NOW)  # type: ignore[arg-type]

    def written(self, call: int) -> dict[str, Any]:
        """Return the values that the update of a call sets, by attribute."""
        body = self.requests[call][1]
        values = body["ExpressionAttributeValues"]
        return {
            name[1:]: values[f":{name[1:]}"]
            for name in body["ExpressionAttributeNames"]
            if f":{name[1:]}" in values
        }

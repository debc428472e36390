"""Stands where DynamoDB does: gives what it is told to, one a call, and keeps what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.journal import Journal
from tests.unit.journal.transitions import NOW

if TYPE_CHECKING:
    from common.transport import Deadline


class Script:
    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        self.asked.append((operation, body))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def journal(self) -> Journal:
        return Journal(self, "attempts", repeatable=("native",), clock=lambda: NOW)  # type: ignore[arg-type]

    def written(self, call: int) -> dict[str, Any]:
        """The values that the update of a call sets, by attribute."""
        body = self.asked[call][1]
        values = body["ExpressionAttributeValues"]
        return {
            name[1:]: values[f":{name[1:]}"]
            for name in body["ExpressionAttributeNames"]
            if f":{name[1:]}" in values
        }

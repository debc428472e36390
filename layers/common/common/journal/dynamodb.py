"""DynamoDB as the journal uses it: the signed JSON client, with the journal's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.aws import DYNAMODB, AwsError, Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.aws.credentials import Credentials
    from common.transport import Deadline


class JournalUnavailable(Exception):
    """The table did not execute an operation in time. ``reason`` is one word for logs and metrics.

    A write may have been applied nevertheless. ``doubt``: the attempt was read before, and its start may have been sent.
    """

    def __init__(self, reason: str, *, doubt: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.doubt = doubt


class ConditionFailed(Exception):
    """The condition of a write did not hold. ``item`` is the item that it found, in DynamoDB's notation; None if there is none."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("condition failed")
        self.item = item


class DynamoDB:
    """A client of one region's DynamoDB. Safe to share between threads, and part of a snapshot: it connects at the first call."""

    def __init__(self, endpoint: str, region: str, credentials: Callable[[], Credentials]) -> None:
        """`endpoint` is ``https://host[:port]``, or ``http`` for an embedded table."""
        self._client = Client(DYNAMODB, endpoint, region, credentials)

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Execute `operation` (``UpdateItem``, ``Query`` ...), with retries, within `deadline`, and return the response.

        Raises
        ------
        ConditionFailed
            The condition of a write did not hold.
        JournalUnavailable
            Any other failure.
        """
        try:
            return self._client.call(operation, body, deadline)
        except AwsError as error:
            if error.reason == "ConditionalCheckFailedException":
                raise ConditionFailed(error.document.get("Item")) from error
            raise JournalUnavailable(error.reason) from error

    def close(self) -> None:
        """Close the idle connections; the next call opens a new one."""
        self._client.close()

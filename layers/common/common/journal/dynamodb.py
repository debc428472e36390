"""A client of DynamoDB with one function, `DynamoDB.call`, which retries within one deadline.

The protocol is a signed JSON POST:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import json
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.transport import Connection, Deadline, TransportError, connect, load_tls_context
from common.transport.credentials import CredentialsError
from common.transport.sigv4 import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.transport import Response
    from common.transport.credentials import Credentials

# Seconds for the first try, doubled each time: an idle connection that broke unnoticed must not use up the deadline.
_FIRST_TIMEOUT = 1.0
_FIRST_PAUSE = 0.025  # seconds, doubled each time; the pause is a random part of it (full jitter)
_MAX_PAUSE = 1.0  # seconds
_MAX_RESPONSE = 1024 * 1024  # bytes; a page of a hundred attempts is far smaller
_MAX_IDLE_CONNECTIONS = 16  # Lambda needs one, the local stack one per concurrent caller

# The error codes after which the same request may succeed a little later:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_RETRYABLE = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceededException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
    }
)


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


class _RetryableError(Exception):
    """The same request may succeed a little later."""


class Backoff:
    """Exponential backoff with full jitter within `deadline`, for one operation. ``retries`` counts the pauses."""

    def __init__(self, deadline: Deadline) -> None:
        self.retries = 0
        self._deadline = deadline

    def pause(self, reason: str) -> None:
        """Sleep before the next try.

        Raises
        ------
        JournalUnavailable
            No time is left for another try; `reason` becomes its reason.
        """
        pause = random.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2**self.retries))  # noqa: S311 - jitter
        if pause >= self._deadline.remaining():
            raise JournalUnavailable(reason)
        self.retries += 1
        time.sleep(pause)


class DynamoDB:
    """A client of one region's DynamoDB. Safe to share between threads.

    The first call opens a connection and reads credentials, not the constructor: an instance may be part of a snapshot.
    """

    def __init__(self, endpoint: str, region: str, credentials: Callable[[], Credentials]) -> None:
        """`endpoint` is ``https://host[:port]``, or ``http`` for an embedded table."""
        parts = urlsplit(endpoint)
        self._address = parts.hostname or ""
        self._tls = load_tls_context(None) if parts.scheme == "https" else None  # during initialization
        self._port = parts.port or (443 if self._tls else 80)
        self._host = parts.netloc
        self._region = region
        self._credentials = credentials
        self._idle: deque[Connection] = deque()

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Execute `operation` (``UpdateItem``, ``Query`` ...), with retries, within `deadline`, and return the response.

        Raises
        ------
        ConditionFailed
            The condition of a write did not hold.
        JournalUnavailable
            Any other failure.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        backoff = Backoff(deadline)
        while True:
            try:
                return self._once(operation, content, deadline.within(_FIRST_TIMEOUT * 2**backoff.retries))
            except _RetryableError as error:
                backoff.pause(str(error))

    def close(self) -> None:
        """Close the idle connections; the next call opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def _once(self, operation: str, content: bytes, deadline: Deadline) -> dict[str, Any]:
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        try:
            credentials = self._credentials()
        except CredentialsError as error:
            raise JournalUnavailable("credentials") from error
        signed = sign(headers, self._host, content, credentials, self._region, "dynamodb", time.time())
        try:
            connection = self._connection(deadline)
            response = connection.request("POST", "/", signed, content, deadline, _MAX_RESPONSE)
        except TransportError as error:
            raise _RetryableError(error.reason) from error
        self._keep(connection)
        return _result(response)

    def _connection(self, deadline: Deadline) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if connection.is_idle():
                return connection
            connection.close()
        return connect(self._address, self._port, self._address, deadline, self._tls)

    def _keep(self, connection: Connection) -> None:
        if len(self._idle) < _MAX_IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()


def _result(response: Response) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except ValueError as error:
        raise _RetryableError(f"http-{response.status}") from error
    if response.status == 200 and isinstance(document, dict):
        return document
    kind = str(document.get("__type", "")).rpartition("#")[2] if isinstance(document, dict) else ""
    if kind == "ConditionalCheckFailedException":
        raise ConditionFailed(document.get("Item"))
    if response.status >= 500 or kind in _RETRYABLE:
        raise _RetryableError(kind or f"http-{response.status}")
    raise JournalUnavailable(kind or f"http-{response.status}")

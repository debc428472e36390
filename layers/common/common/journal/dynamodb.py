"""DynamoDB as the journal reaches it: one function, `DynamoDB.call`, inside one deadline.

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

_FIRST_PATIENCE = (
    1.0  # seconds for the first try: a kept connection that died unseen must not eat the deadline
)
_FIRST_PAUSE = 0.025  # seconds, doubled each time, of which a random part is slept (full jitter)
_LONGEST_PAUSE = 1.0
_ANSWER_LIMIT = 1024 * 1024  # bytes; a page of a hundred attempts is far below it
_KEPT = 16  # idle connections kept: one in Lambda, as many as callers in the local stack

# What DynamoDB says when the same request may succeed a little later:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_PASSING = frozenset(
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
    """The table did not do what was asked, in time. ``reason`` is one word for logs and metrics.

    Whether a write was applied all the same is not known. ``doubt``: what was read of the attempt before says that a start
    may have been sent.
    """

    doubt = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConditionFailed(Exception):
    """A conditional write found another item than it hoped for: ``item`` is that item, in DynamoDB's notation."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("condition failed")
        self.item = item


class _Passing(Exception):
    """Worth another try."""


class Backoff:
    """Pauses between tries of one operation: exponential, with full jitter, within `deadline`. ``tried`` counts them."""

    def __init__(self, deadline: Deadline) -> None:
        self.tried = 0
        self._deadline = deadline

    def pause(self, reason: str) -> None:
        """Sleep before the next try.

        Raises
        ------
        JournalUnavailable
            The deadline leaves no time for it; `reason` is its reason.
        """
        pause = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self.tried))  # noqa: S311 - jitter
        if pause >= self._deadline.remaining():
            raise JournalUnavailable(reason)
        self.tried += 1
        time.sleep(pause)


class DynamoDB:
    """A client of one region's DynamoDB. Safe to share between threads.

    Nothing is connected, and no credentials are read, before the first call: an instance may stand in a snapshot.
    """

    def __init__(self, endpoint: str, region: str, credentials: Callable[[], Credentials]) -> None:
        """`endpoint` is ``https://host[:port]``, or ``http`` for an embedded table."""
        parts = urlsplit(endpoint)
        self._address = parts.hostname or ""
        self._tls = load_tls_context(None) if parts.scheme == "https" else None  # while the function starts
        self._port = parts.port or (443 if self._tls else 80)
        self._host = parts.netloc
        self._region = region
        self._credentials = credentials
        self._idle: deque[Connection] = deque()

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Carry out `operation` (``UpdateItem``, ``Query`` ...), again and again while it may pass, within `deadline`.

        Raises
        ------
        ConditionFailed
            The condition of a write did not hold.
        JournalUnavailable
            Anything else that is not success.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        backoff = Backoff(deadline)
        while True:
            try:
                return self._once(operation, content, deadline.within(_FIRST_PATIENCE * 2**backoff.tried))
            except _Passing as passing:
                backoff.pause(str(passing))

    def close(self) -> None:
        """Close the idle connections; the next call makes a new one."""
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
            response = connection.request("POST", "/", signed, content, deadline, _ANSWER_LIMIT)
        except TransportError as error:
            raise _Passing(error.reason) from error
        self._keep(connection)
        return _result(response)

    def _connection(self, deadline: Deadline) -> Connection:
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if kept.is_idle():
                return kept
            kept.close()
        return connect(self._address, self._port, self._address, deadline, self._tls)

    def _keep(self, connection: Connection) -> None:
        if len(self._idle) < _KEPT:
            self._idle.append(connection)
        else:
            connection.close()


def _result(response: Response) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except ValueError as error:
        raise _Passing(f"http-{response.status}") from error
    if response.status == 200 and isinstance(document, dict):
        return document
    kind = str(document.get("__type", "")).rpartition("#")[2] if isinstance(document, dict) else ""
    if kind == "ConditionalCheckFailedException":
        raise ConditionFailed(document.get("Item"))
    if response.status >= 500 or kind in _PASSING:
        raise _Passing(kind or f"http-{response.status}")
    raise JournalUnavailable(kind or f"http-{response.status}")

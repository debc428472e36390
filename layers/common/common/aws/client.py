"""A client with one function, `Client.call`, which retries within one deadline.

The protocol is a signed JSON POST, described for DynamoDB; the other services differ in names only:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import json
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.aws.credentials import CredentialsError, from_environment
from common.aws.sigv4 import sign
from common.transport import Connection, Deadline, TransportError, connect, load_tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from common.aws.credentials import Credentials
    from common.aws.services import Service
    from common.transport import Response

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


class AwsError(Exception):
    """The service did not execute an operation, or did not respond in time: a write may have been applied nevertheless.

    Attributes
    ----------
    reason
        One word for logs and metrics: the service's error code, or why there is no response.
    document
        The service's error response; empty if there is none.
    """

    def __init__(self, reason: str, document: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.document = document or {}


class _RetryableError(Exception):
    """The same request may succeed a little later."""


class Backoff:
    """Exponential backoff with full jitter within `deadline`, for one operation. ``retries`` counts the pauses."""

    def __init__(self, deadline: Deadline) -> None:
        self.retries = 0
        self._deadline = deadline

    def pause(self) -> bool:
        """Sleep before the next try; return False at once if no time is left for another try."""
        pause = random.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2**self.retries))  # noqa: S311 - jitter
        if pause >= self._deadline.remaining():
            return False
        self.retries += 1
        time.sleep(pause)
        return True


class Client:
    """A client of one service in one region. Safe to share between threads.

    The first call opens a connection and reads credentials, not the constructor: an instance may be part of a snapshot.
    """

    def __init__(
        self, service: Service, endpoint: str, region: str, credentials: Callable[[], Credentials]
    ) -> None:
        """`endpoint` is ``https://host[:port]``, or ``http`` for a server on this machine."""
        parts = urlsplit(endpoint)
        self._address = parts.hostname or ""
        self._tls = load_tls_context(None) if parts.scheme == "https" else None  # during initialization
        self._port = parts.port or (443 if self._tls else 80)
        self._host = parts.netloc
        self._service = service
        self._region = region
        self._credentials = credentials
        self._idle: deque[Connection] = deque()

    @classmethod
    def of(cls, service: Service, environ: Mapping[str, str]) -> Client:
        """Return a client with the region, the endpoint and the credentials of a function's environment.

        Raises
        ------
        ValueError
            A variable with an endpoint is not an HTTP URL.
        """
        region = environ["AWS_REGION"]
        return cls(service, service.endpoint(region, environ), region, from_environment(environ))

    def call(self, operation: str, body: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Execute `operation` (``UpdateItem``, ``GetSecretValue`` ...), with retries, within `deadline`; return the response.

        Raises
        ------
        AwsError
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        backoff = Backoff(deadline)
        while True:
            try:
                return self._once(operation, content, deadline.within(_FIRST_TIMEOUT * 2**backoff.retries))
            except _RetryableError as error:
                if not backoff.pause():
                    raise AwsError(str(error)) from error

    def close(self) -> None:
        """Close the idle connections; the next call opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def _once(self, operation: str, content: bytes, deadline: Deadline) -> dict[str, Any]:
        headers = {
            "content-type": f"application/x-amz-json-{self._service.version}",
            "x-amz-target": f"{self._service.target}.{operation}",
        }
        try:
            credentials = self._credentials()
        except CredentialsError as error:
            raise AwsError("credentials") from error
        signed = sign(
            headers, self._host, content, credentials, self._region, self._service.name, time.time()
        )
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
    except (ValueError, RecursionError) as error:
        raise _RetryableError(f"http-{response.status}") from error
    if not isinstance(document, dict):
        document = {}
    elif response.status == 200:
        return document
    # "com.amazonaws.dynamodb.v20120810#ThrottlingException", or without the namespace
    kind = str(document.get("__type", "")).rpartition("#")[2]
    reason = kind or f"http-{response.status}"
    if response.status >= 500 or kind in _RETRYABLE:
        raise _RetryableError(reason)
    raise AwsError(reason, document)

"""AWS credentials that Lambda provides: in environment variables, or with SnapStart at a local endpoint.

Lambda sets ``AWS_ACCESS_KEY_ID`` and the related variables for the life of an execution environment. With SnapStart
the snapshot would contain them, so Lambda sets ``AWS_CONTAINER_CREDENTIALS_FULL_URI`` instead. The credentials from
that endpoint expire:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from common.transport import Deadline, TransportError, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REFRESH_MARGIN = (
    300.0  # seconds before the expiration at which they are fetched again, as AWS's own clients do
)
_TIMEOUT = 2.0  # seconds


class CredentialsError(Exception):
    """No credentials are available. The message names the environment variable to check."""


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None


def from_environment(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """Return a function that returns the current credentials: call it before each request.

    It reads `environ` at each call, because the variables differ before and after a snapshot is restored.

    Raises
    ------
    CredentialsError
        Raised by that function if neither keys nor an endpoint are set, or the endpoint returns no credentials.
    """
    endpoint = _Endpoint(environ)

    def current() -> Credentials:
        access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        if access_key is None or secret_key is None:
            return endpoint()
        return Credentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN") or None)

    return current


class _Endpoint:
    """The container credentials endpoint: fetches credentials at the first call, and again before they expire."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._cached: Credentials | None = None
        self._expires_at = 0.0

    def __call__(self) -> Credentials:
        if "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in self._environ:
            raise CredentialsError(
                "no AWS credentials: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
            )
        if self._cached is None or time.time() > self._expires_at - _REFRESH_MARGIN:
            try:
                self._cached, self._expires_at = self._fetch()
            except (TransportError, OSError, ValueError, TypeError, KeyError) as error:
                if self._cached is None or time.time() > self._expires_at:
                    raise CredentialsError(
                        f"no AWS credentials from AWS_CONTAINER_CREDENTIALS_FULL_URI: {type(error).__name__}"
                    ) from error
        return self._cached

    def _fetch(self) -> tuple[Credentials, float]:
        uri = urlsplit(self._environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        host = uri.hostname or ""
        deadline = Deadline.after(_TIMEOUT)
        connection = connect(host, uri.port or 80, host, deadline)
        try:
            path = uri.path + (f"?{uri.query}" if uri.query else "")
            response = connection.request(
                "GET", path or "/", {"Authorization": self._authorization()}, b"", deadline
            )
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError("the status code is not 200")
        document = json.loads(response.body)
        credentials = Credentials(document["AccessKeyId"], document["SecretAccessKey"], document.get("Token"))
        return credentials, datetime.fromisoformat(document["Expiration"]).timestamp()

    def _authorization(self) -> str:
        path = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if path:
            with open(path, encoding="ascii") as file:  # noqa: PTH123 - avoids the import of pathlib
                return file.read().strip()
        return self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")

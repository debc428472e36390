"""AWS credentials as Lambda gives them: the environment, or under SnapStart a local endpoint.

Lambda sets ``AWS_ACCESS_KEY_ID`` and its companions for the life of an execution environment. Under SnapStart they
would be frozen into the snapshot, so Lambda sets ``AWS_CONTAINER_CREDENTIALS_FULL_URI`` instead, and what that
endpoint answers expires:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from transport.deadline import Deadline
from transport.http import TransportError, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EARLY = 300.0  # seconds before their end that credentials are fetched anew: what AWS's own clients keep
_PATIENCE = 2.0


class CredentialsError(Exception):
    """No credentials could be had; says which variable to look at."""


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None


def from_environment(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """A source of credentials for this process: call it before each request.

    Nothing of the environment is kept: what stood there before a snapshot is not what counts after it.

    Raises
    ------
    CredentialsError
        By the source, when neither keys nor an endpoint are named, or the endpoint does not answer.
    """
    endpoint = _Endpoint(environ)

    def current() -> Credentials:
        access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        if access_key is None or secret_key is None:
            return endpoint()
        return Credentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN") or None)

    return current


class _Endpoint:
    """Credentials of the container endpoint, fetched when first needed and again before they expire."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: Credentials | None = None
        self._until = 0.0

    def __call__(self) -> Credentials:
        if "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in self._environ:
            raise CredentialsError(
                "no AWS credentials: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
            )
        if self._known is None or time.time() > self._until - _EARLY:
            try:
                self._known, self._until = self._fetch()
            except (TransportError, OSError, ValueError, TypeError, KeyError) as error:
                if self._known is None or time.time() > self._until:
                    raise CredentialsError(
                        f"no AWS credentials from AWS_CONTAINER_CREDENTIALS_FULL_URI: {type(error).__name__}"
                    ) from error
        return self._known

    def _fetch(self) -> tuple[Credentials, float]:
        uri = urlsplit(self._environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        host = uri.hostname or ""
        deadline = Deadline.after(_PATIENCE)
        connection = connect(host, uri.port or 80, host, deadline)
        try:
            path = uri.path + (f"?{uri.query}" if uri.query else "")
            response = connection.request(
                "GET", path or "/", {"Authorization": self._authorization()}, b"", deadline
            )
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError("not 200")
        given = json.loads(response.body)
        credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given.get("Token"))
        return credentials, datetime.fromisoformat(given["Expiration"]).timestamp()

    def _authorization(self) -> str:
        path = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if path:
            with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib is not worth its import here
                return file.read().strip()
        return self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")

"""The credentials that `LinkServers` names, from Secrets Manager.

A secret is JSON with the members of one of three kinds: ``{"username", "password"}`` (HTTP Basic), ``{"bearer"}``
(a token), or ``{"apiKey"}`` with an optional ``"header"`` (default ``X-API-Key``).
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from charger_link.errors import ServerRefused
from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT = 2.0  # seconds for each of two tries to connect, and for each of two answers
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
# Headers that frame or route a message, that change the request or the form of its response, or that the service sets.
_RESERVED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "prefer",
        "proxy-connection",
        "range",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-http-method-override",
    }
)
_CHECK_TIMEOUT = 8.0  # seconds, while no request waits


class Secrets:
    """Headers by the name of a secret. Each secret is read once, and again after a server returned 401 or 403."""

    def __init__(self, read: Callable[[str, Deadline], str] | None = None) -> None:
        """`read` returns a secret's text by its name, before the deadline; by default it reads Secrets Manager."""
        self._read = read or _from_secrets_manager
        self._known: dict[str, dict[str, str]] = {}

    @classmethod
    def of(cls, path: str | None) -> Secrets:
        """Return the secrets of a file, ``{name: secret}`` in JSON, if a path is given; else those of Secrets Manager."""
        return cls(lambda name, _: _from_file(path, name)) if path else cls()

    def headers(self, name: str | None, deadline: Deadline) -> dict[str, str]:
        """Return the request headers of a secret; none without a name.

        Raises
        ------
        ServerRefused
            The secret cannot be read, or is of no known kind. Nothing was sent.
        """
        if name is None:
            return {}
        known = self._known.get(name)
        return self._load(name, deadline) if known is None else known

    def _load(self, name: str, deadline: Deadline) -> dict[str, str]:
        try:
            headers = _headers(json.loads(self._read(name, deadline)))
        except Exception as error:  # whatever the reader raises, the reason is the setting
            raise ServerRefused(
                "secret",
                "The credentials for the OCPP server cannot be read: look at the secret in LinkServers.",
            ) from error
        self._known[name] = headers
        return headers

    def readable(self, name: str) -> bool:
        """Return whether the secret can be read and is of a known kind."""
        try:
            self.headers(name, Deadline.after(_CHECK_TIMEOUT))
        except ServerRefused:
            return False
        return True

    def refresh(self, name: str, deadline: Deadline) -> bool:
        """Read the secret again; return whether it has changed."""
        old = self._known.get(name)
        return self._load(name, deadline) != old


def _from_file(path: str, name: str) -> str:
    secret = json.loads(Path(path).read_text())[name]
    return secret if isinstance(secret, str) else json.dumps(secret)


def _from_secrets_manager(name: str, deadline: Deadline) -> str:
    # Imported only here: it imports boto3, which costs more than the whole rest of a cold start.
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from botocore.config import Config

    # By default botocore waits a minute for a connection and tries five times: longer than the function's timeout.
    timeout = max(0.1, min(_TIMEOUT, deadline.remaining() / 4))
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    return _within(deadline, lambda: str(SecretsProvider(boto_config=config).get(name)))


def _within(deadline: Deadline, read: Callable[[], str]) -> str:
    """Return what `read` returns before the deadline: no setting of botocore limits the resolution of the host name.

    Raises
    ------
    TimeoutError
        `read` did not return by the deadline.
    """
    results: list[str] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(read())
        except Exception as error:  # noqa: BLE001 - raised to the caller
            failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if results:
        return results[0]
    raise failures[0] if failures else TimeoutError


def _headers(secret: dict[str, str]) -> dict[str, str]:
    secret = {name: str(value).strip() for name, value in secret.items()}
    if "bearer" in secret:
        name, value = "Authorization", f"Bearer {secret['bearer']}"
    elif "apiKey" in secret:
        name, value = secret.get("header", "X-API-Key"), secret["apiKey"]
    else:
        pair = f"{secret['username']}:{secret['password']}".encode()
        name, value = "Authorization", f"Basic {b64encode(pair).decode()}"
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
        raise ValueError("no header name for credentials")
    # Checked here and not when the request is written, so that it is certain that nothing was sent.
    if not (name + value).isprintable() or not (name + value).isascii():
        raise ValueError("no header can hold it")
    return {name: value}

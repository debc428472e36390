"""The credentials that `LinkServers` names, from Secrets Manager.

A secret is JSON with the members of one of three kinds: ``{"username", "password"}`` (HTTP Basic), ``{"bearer"}``
(a token), or ``{"apiKey"}`` with an optional ``"header"`` (default ``X-API-Key``).
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from charger_link.errors import ServerRefused
from common.aws import SECRETS_MANAGER, Client
from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT = 8.0  # seconds for one read, with its retries
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


class Secrets:
    """Headers by the name of a secret. Each secret is read when it is first needed, and again after a server returned 401 or 403."""

    def __init__(self, read: Callable[[str, Deadline], str]) -> None:
        """`read` returns a secret's text by its name, before the deadline."""
        self._read = read
        self._known: dict[str, dict[str, str]] = {}

    @classmethod
    def of(cls, path: str | None, environ: Mapping[str, str] = os.environ) -> Secrets:
        """Return the secrets of a file, ``{name: secret}`` in JSON, if a path is given; else those of Secrets Manager."""
        if path:
            return cls(lambda name, _: _from_file(path, name))
        return cls(lambda name, deadline: _from_secrets_manager(environ, name, deadline))

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
            self.headers(name, Deadline.after(_TIMEOUT))
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


def _from_secrets_manager(environ: Mapping[str, str], name: str, deadline: Deadline) -> str:
    """Return the text of a secret; KeyError if it is binary. The connection is closed again: the next read may be hours later."""
    with closing(Client.of(SECRETS_MANAGER, environ)) as client:
        response = client.call("GetSecretValue", {"SecretId": name}, deadline.within(_TIMEOUT))
    return str(response["SecretString"])


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

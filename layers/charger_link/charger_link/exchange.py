"""The requests of one command to its OCPP server, inside one deadline."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from charger_link.errors import LinkError, OutcomeUnknown, ServerRefused, Unreachable
from common.transport import (
    BODY_LIMIT,
    Deadline,
    IncompleteResponse,
    NotConnected,
    Response,
    connect,
    load_tls_context,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_link.circuit import Circuits
    from charger_link.command import Command
    from charger_link.secrets import Secrets

_CONNECT_TIMEOUT = 3.0  # seconds for TCP and TLS: an OCPP server is near
_HEALTH_CHECK_MINIMUM = 0.5  # seconds that must be left, or no health check is sent
_TRIES = 3
_FIRST_PAUSE = 0.1  # seconds, doubled for each retry, of which a random part is slept (full jitter)
_WAIT_MARGIN = 1.0  # seconds between the longest wait that we request of the server and our own deadline
_UNREACHABLE = "The OCPP server could not be reached, so nothing was sent. Try again with the same id."
UNANSWERED = "The request was sent and no whole answer came; the charger may start all the same."
_REFUSED = "The OCPP server does not accept the credentials of its LinkServers entry: look at the secret named there."


class ServerReply(NamedTuple):
    """An OCPP server's HTTP response: ``json`` is None if the body is not JSON, and ``kind`` is its media type."""

    status: int
    kind: str
    headers: Mapping[str, str]
    json: Any
    text: str

    def member(self, name: str) -> str:
        """Return a member of the body as text; empty if there is none."""
        return str(self.json.get(name, "")) if isinstance(self.json, dict) else ""


class Exchange:
    """Sends a dialect's requests to its server; returns whole replies and raises everything else.

    ``repeat``: a request that was sent and got no response may be sent again.
    ``doubt``: such a request was sent, in this exchange or before it, and the server may still act on it.
    """

    def __init__(
        self, command: Command, deadline: Deadline, circuits: Circuits, secrets: Secrets, repeat: bool
    ) -> None:
        self._command = command
        self._server = command.server
        self._deadline = deadline
        self._circuits = circuits
        self._secrets = secrets
        self._repeat = repeat
        self.doubt = command.doubt
        self._opened = False
        self._entered = False

    def send(
        self,
        method: str,
        path: str,
        payload: object = None,
        *,
        wait: bool = False,
        limit: int = BODY_LIMIT,
    ) -> ServerReply:
        """Send one request below the server's base path; with `wait`, request a response in time (RFC 7240).

        A response body longer than `limit` bytes counts as incomplete.

        Raises
        ------
        Unreachable
            Nothing was sent, after a few tries.
        CircuitOpen
            Nothing was sent: the server fails, and another request has the trial.
        ServerRefused
            401: the server does not accept the credentials.
        OutcomeUnknown
            The request was sent, and no whole response arrived.
        """
        body = b"" if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        headers = {"Accept": "application/json, application/problem+json", "Connection": "close"}
        if payload is not None:
            headers["Content-Type"] = "application/json"
        if self._command.trace_parent:
            headers["traceparent"] = self._command.trace_parent
        failure: type[LinkError] | None = None
        kind, detail = "", ""
        for tried in range(1, _TRIES + 1):
            if wait:
                headers["Prefer"] = f"wait={max(1, int(self._deadline.remaining() - _WAIT_MARGIN))}"
            in_time = self._deadline.remaining() > 0
            try:
                return self._authorized(method, path, headers, body, limit)
            except NotConnected as error:
                # Count one failure per request; none if no time was left to connect.
                if in_time and failure is None:
                    self._failed(None)
                # A failed connection does not take back a request that an earlier try sent.
                if failure is None:
                    failure, kind, detail = Unreachable, error.reason, _UNREACHABLE
            except IncompleteResponse as error:
                if error.received_any:
                    self._circuits.answered(self._server.name)
                else:
                    self._failed(self._command.charger_id)
                # A timeout without a byte is the charger's silence: the server took the request and is still waiting.
                silent = error.reason == "timeout" and not error.received_any
                failure, kind, detail = (
                    OutcomeUnknown,
                    "charger-silent" if silent else error.reason,
                    UNANSWERED,
                )
                if not self._repeat:
                    break
                self.doubt = True
            pause = random.uniform(0, _FIRST_PAUSE * 2**tried)  # noqa: S311 - jitter
            if tried == _TRIES or pause >= self._deadline.remaining():
                break
            time.sleep(pause)
        assert failure is not None
        raise failure(kind, detail, opened_circuit=self._opened)

    def answers_health_check(self, path: str) -> bool:
        """Return whether the server responds to a GET of `path` in time, with any status code.

        True as well if no request could be sent, which is no evidence against the server.
        """
        try:
            self._secrets.headers(self._server.entry.secret, self._deadline)
        except ServerRefused:
            return True
        if self._deadline.remaining() < _HEALTH_CHECK_MINIMUM:
            return True
        # A health check is not the trial of an open circuit: it decides whether there is one.
        self._entered = True
        try:
            self._send_once(
                "GET", path, {"Accept": "application/json", "Connection": "close"}, b"", BODY_LIMIT
            )
        except IncompleteResponse as error:
            if error.reason != "too-long":  # a long list is a response
                return False
            self._circuits.answered(self._server.name)
        except NotConnected:
            return False
        return True

    def _authorized(
        self, method: str, path: str, headers: dict[str, str], body: bytes, limit: int
    ) -> ServerReply:
        """Send once with the secret as it is known; after a 401 or 403, which an expired token may cause, once more with the
        secret as it is now."""
        name = self._server.entry.secret
        reply = self._send_once(method, path, headers, body, limit)
        if reply.status in (401, 403) and name and self._secrets.refresh(name, self._deadline):
            reply = self._send_once(method, path, headers, body, limit)
        if reply.status == 401:
            raise ServerRefused("unauthorized", _REFUSED)
        return reply

    def _send_once(
        self, method: str, path: str, headers: dict[str, str], body: bytes, limit: int
    ) -> ServerReply:
        entry = self._server.entry
        headers = headers | self._secrets.headers(entry.secret, self._deadline)
        tls = load_tls_context(entry.ca) if entry.scheme == "https" else None
        host = entry.server_name or self._server.address
        # Not earlier: a request that needs no call after all must not use up the trial of an open circuit.
        if not self._entered and self._deadline.remaining() > 0:
            self._circuits.enter(self._server.name)
            self._entered = True
        # Always a new connection: a kept one can break while Lambda is frozen, and a start must not be sent on a broken one.
        connection = connect(
            self._server.address, self._server.port, host, self._deadline.within(_CONNECT_TIMEOUT), tls
        )
        try:
            response = connection.request(method, entry.base + path, headers, body, self._deadline, limit)
        finally:
            connection.close()
        self._circuits.answered(self._server.name)
        return _read_reply(response)

    def _failed(self, charger_id: str | None) -> None:
        self._opened = self._circuits.failed(self._server.name, charger_id) or self._opened


def _read_reply(response: Response) -> ServerReply:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = response.body.decode()
        document = json.loads(text)
    except (ValueError, RecursionError):
        text, document = response.body.decode(errors="replace"), None
    return ServerReply(response.status, kind, response.headers, document, text)

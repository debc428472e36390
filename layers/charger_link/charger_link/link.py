"""One command to one OCPP server, through its dialect, inside one deadline."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from charger_link import masking, ocpp
from charger_link.command import Answer, Command, Outcome
from charger_link.dialects import dialect
from charger_link.errors import (
    CircuitOpen,
    LinkError,
    OutcomeUnknown,
    ServerRefused,
    StatusNotAvailable,
    Unreachable,
)
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
    from collections.abc import Iterable, Mapping

    from charger_link.circuit import Circuits
    from charger_link.command import Published
    from charger_link.dialects import Dialect
    from charger_link.secrets import Secrets
    from charger_link.servers import Server

_CONNECT = 3.0  # seconds for TCP and TLS: an OCPP server is near
_HEALTH_CHECK = 1.0  # seconds for a whole health check
_TRIES = 3
_FIRST_PAUSE = 0.1  # seconds, doubled each time, of which a random part is slept (full jitter)
_UNREACHABLE = "The OCPP server could not be reached, so nothing was sent. Try again with the same id."
_UNANSWERED = "The request was sent and no whole answer came; the charger may start all the same."
_IN_DOUBT = (
    "An earlier try may have reached the OCPP server, and what it says now takes nothing of that back."
)
_REFUSED = "The OCPP server does not accept the credentials of its LinkServers entry: look at the secret named there."
_NO_STATUS = "This kind of OCPP server cannot tell a charger's status. Send a tokenId to start a charge."
_MARGIN = 1.0  # seconds between what the server is asked to wait at most and our own deadline


class Reply(NamedTuple):
    """What a server answered: ``json`` is None where the body is none, and ``kind`` is its media type."""

    status: int
    kind: str
    headers: Mapping[str, str]
    json: Any
    text: str

    def member(self, name: str) -> str:
        """A member of the body as text; empty where there is none."""
        return str(self.json.get(name, "")) if isinstance(self.json, dict) else ""


class Exchange:
    """How a dialect speaks to its server: requests in, whole replies out, everything else raised.

    ``repeat`` says that a request which was sent and not answered may be sent again; ``doubt``, that one was, in this
    exchange or before it, and may be acted upon yet.
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
    ) -> Reply:
        """Send one request below the server's base path; with `wait`, ask the server to answer in time (RFC 7240).

        An answer longer than `limit` bytes is none.

        Raises
        ------
        Unreachable
            Nothing was sent, after a few tries.
        CircuitOpen
            Nothing was sent: the server fails, and another request has the trial.
        ServerRefused
            401: the credentials do not hold.
        OutcomeUnknown
            It was sent, and no whole answer came.
        """
        body = b"" if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        given = {"Accept": "application/json, application/problem+json", "Connection": "close"}
        if payload is not None:
            given["Content-Type"] = "application/json"
        if self._command.trace_parent:
            given["traceparent"] = self._command.trace_parent
        failure: LinkError | None = None
        for tried in range(1, _TRIES + 1):
            if wait:
                given["Prefer"] = f"wait={max(1, int(self._deadline.remaining() - _MARGIN))}"
            in_time = self._deadline.remaining() > 0
            try:
                return self._authorized(method, path, given, body, limit)
            except NotConnected as error:
                # A request is one witness, and one out of time did not even try.
                if in_time and failure is None:
                    self._failed(None)
                # Once something was sent, a connection that is not made takes nothing of that back.
                failure = failure or Unreachable(error.reason, _UNREACHABLE)
            except IncompleteResponse as error:
                if error.received_any:
                    self._circuits.answered(self._server.name)
                else:
                    self._failed(self._command.charger_id)
                # A server that took the request and is still waiting is not a server that fails.
                silent = error.reason == "timeout" and not error.received_any
                failure = OutcomeUnknown("charger-silent" if silent else error.reason, _UNANSWERED)
                if not self._repeat:
                    break
                self.doubt = True
            pause = random.uniform(0, _FIRST_PAUSE * 2**tried)  # noqa: S311 - jitter
            if tried == _TRIES or pause >= self._deadline.remaining():
                break
            time.sleep(pause)
        assert failure is not None
        failure.opened_circuit = self._opened
        raise failure

    def is_answered(self, path: str) -> bool:
        """Return whether the server answers a GET of `path` in time, with any status code; True too where nothing could be
        asked, which is no evidence against the server."""
        try:
            self._secrets.headers(self._server.entry.secret, self._deadline)
        except ServerRefused:
            return True
        if self._deadline.remaining() < _HEALTH_CHECK / 2:
            return True
        self._entered = True  # no trial: its answer decides whether there is one
        try:
            self._once("GET", path, {"Accept": "application/json", "Connection": "close"}, b"", BODY_LIMIT)
        except IncompleteResponse as error:
            if error.reason != "too-long":  # a long list is an answer
                return False
            self._circuits.answered(self._server.name)
        except NotConnected:
            return False
        return True

    def _authorized(self, method: str, path: str, headers: dict[str, str], body: bytes, limit: int) -> Reply:
        """Once with the secret as known, and after a 401 or 403 (a token that expired, at some) once more with the secret as it
        is now."""
        name = self._server.entry.secret
        reply = self._once(method, path, headers, body, limit)
        if reply.status in (401, 403) and name and self._secrets.refresh(name, self._deadline):
            reply = self._once(method, path, headers, body, limit)
        if reply.status == 401:
            raise ServerRefused("unauthorized", _REFUSED)
        return reply

    def _once(self, method: str, path: str, headers: dict[str, str], body: bytes, limit: int) -> Reply:
        entry = self._server.entry
        headers = headers | self._secrets.headers(entry.secret, self._deadline)
        tls = load_tls_context(entry.ca) if entry.scheme == "https" else None
        host = entry.server_name or self._server.address
        # Here and not earlier: a request that turns out to need no call must not use up the trial of an open circuit.
        if not self._entered and self._deadline.remaining() > 0:
            self._circuits.enter(self._server.name)
            self._entered = True
        # A kept connection dies unseen while Lambda is frozen, and a start must not go out on a dead one: always a new one.
        connection = connect(
            self._server.address, self._server.port, host, self._deadline.within(_CONNECT), tls
        )
        try:
            response = connection.request(method, entry.base + path, headers, body, self._deadline, limit)
        finally:
            connection.close()
        self._circuits.answered(self._server.name)
        return _reply(response)

    def _failed(self, charger_id: str | None) -> None:
        self._opened = self._circuits.failed(self._server.name, charger_id) or self._opened


class Link:
    """The charger link of one deployment. Safe to share between threads."""

    def __init__(self, circuits: Circuits, secrets: Secrets) -> None:
        self._circuits = circuits
        self._secrets = secrets

    def connect(self, command: Command, deadline: Deadline) -> Answer | Published:
        """Carry out `command` and answer what the charger definitely said, or that it will be said at the callback URL.

        Raises
        ------
        LinkError
            Anything else; ``may_have_started`` tells what that means for a charge.
        """
        speak = dialect(command.server.entry.dialect)
        try:
            if command.token is not None:
                answer = _start(speak, command, self._exchange(command, deadline, speak.REPEATABLE))
            elif speak.status is None:
                raise StatusNotAvailable("status-not-available", _NO_STATUS)
            else:
                answer = speak.status(command, self._exchange(command, deadline, repeat=True))
            return _without_token(answer, command.token) if isinstance(answer, Answer) else answer
        except LinkError:
            raise
        except Exception as error:  # a reply that its dialect stumbles over says nothing about the charger
            raise OutcomeUnknown("unexpected", _UNANSWERED) from error

    def check_server(self, server: Server, deadline: Deadline) -> None:
        """Send a suspect server a request that starts nothing and asks no charger; any whole answer closes its circuit.

        Raises
        ------
        CircuitOpen
            It did not answer within a second; ``opened_circuit`` says whether its circuit was closed until now.
        """
        path = dialect(server.entry.dialect).HEALTH_PATH
        command = Command("", "", None, None, server)
        exchange = self._exchange(command, deadline.within(_HEALTH_CHECK), repeat=False)
        if exchange.is_answered(path):
            return
        opened = self._circuits.unhealthy(server.name)
        try:
            self._circuits.check(server.name)
        except CircuitOpen as error:
            error.opened_circuit = opened
            raise

    def unreadable(self, secrets: Iterable[str]) -> list[str]:
        """Those of the named secrets that cannot be read, or are of no known kind."""
        return [name for name in sorted(secrets) if not self._secrets.readable(name)]

    def _exchange(self, command: Command, deadline: Deadline, repeat: bool) -> Exchange:
        return Exchange(command, deadline, self._circuits, self._secrets, repeat)


def _start(speak: Dialect, command: Command, exchange: Exchange) -> Answer | Published:
    """Ask for a start. A request that was lost on its way may arrive after its repeat was answered: in doubt only what the
    charger itself said is certain, and "nothing was sent" is true of the repeat alone."""
    try:
        answer = speak.start(command, exchange)
    except LinkError as error:
        if error.may_have_started or not exchange.doubt:
            raise
        unknown = OutcomeUnknown(error.kind, _IN_DOUBT)
        unknown.opened_circuit = error.opened_circuit
        raise unknown from error
    if exchange.doubt and isinstance(answer, Answer):
        if answer.outcome is Outcome.OFFLINE:
            raise OutcomeUnknown("offline", _IN_DOUBT)
        if answer.early:
            raise OutcomeUnknown("not-asked", _IN_DOUBT)
    return answer


def _without_token(answer: Answer, token: str | None) -> Answer:
    """The answer as it may be stored and shown: ``info`` without the token, and then cut to its length."""
    info = answer.info
    if info and token:
        info = masking.mask_info(info, token)
    return answer._replace(info=info and ocpp.cut(info))


def _reply(response: Response) -> Reply:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = response.body.decode()
        document = json.loads(text)
    except (ValueError, RecursionError):
        text, document = response.body.decode(errors="replace"), None
    return Reply(response.status, kind, response.headers, document, text)

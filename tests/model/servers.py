"""Three OCPP servers, and the charge points behind them, which count the requests that they receive.

`NativeServer` follows docs/native-link.openapi.yaml: it stores the result of each id. `PlainServer` stores nothing and starts a
charge at every request: every repeat is a double start. `CallingServer` also does, as CitrineOS: its response means that the start is
published, and it posts the charger's answer to the URL in the request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from common.transport import Response

if TYPE_CHECKING:
    from tests.model.harness import Invocation, Request


class Behavior(StrEnum):
    """What the server and the charger do with a request."""

    ACCEPTS = "the charger accepts"
    REJECTS = "the charger rejects"
    SILENT = "the charger does not answer, and does nothing"
    LATE = "the charger starts, and answers after the timeout"
    NOT_SUPPORTED = "the charger does not support the call"
    OFFLINE = "the charger is not connected"
    BUSY = "the charger is busy until the timeout"
    UNKNOWN = "the charger is unknown"
    UNAUTHORIZED = "the server rejects the credentials for a moment"
    NONSENSE = "the charger accepts, and the response is garbled"
    PAGE_BEFORE = "a proxy responds instead of the server"
    PAGE_AFTER = "the charger accepts, and a proxy responds instead of the server"
    DIES_BEFORE = "the server dies before it stores anything"
    DIES_RECORDED = "the server dies after it stores the id and before the call"
    DIES_SENT = "the server dies after it sends the call"


_NOT_READ = (Behavior.UNAUTHORIZED, Behavior.PAGE_BEFORE, Behavior.DIES_BEFORE)
_NOT_SENT = (Behavior.OFFLINE, Behavior.BUSY, Behavior.UNKNOWN)
_GARBLED = (Behavior.NONSENSE, Behavior.PAGE_AFTER, Behavior.DIES_SENT)
_BEGINS = (Behavior.ACCEPTS, Behavior.LATE, *_GARBLED)


@dataclass(slots=True)
class ChargePoint:
    """The number of requests that a charge point received for one token, and of charges that it began."""

    received: int = 0
    began: int = 0


@dataclass(slots=True)
class Record:
    """A native server's record of an id; `answer` is None until the charger answers."""

    sent: bool = False
    answer: dict[str, Any] | None = None
    late: dict[str, Any] | None = None


@dataclass(slots=True)
class PlainServer:
    """Sends a start at every request, and stores nothing."""

    points: dict[str, ChargePoint] = field(default_factory=dict)

    def serve(self, request: Request, behavior: Behavior) -> Response | None:
        """Return the response to a PUT; None if the connection breaks."""
        if request.method == "GET":  # a search of records, which this server does not keep
            return _problem(404)
        if behavior in _NOT_READ or behavior is Behavior.DIES_RECORDED:
            return _refused_response(behavior)
        charger, _, token = _read(request)
        if behavior in _NOT_SENT:
            return _not_sent(behavior, charger)
        answer = self._start(request, token, charger, behavior)
        if behavior in _GARBLED:
            return _garbled(behavior, answer)
        if behavior in (Behavior.SILENT, Behavior.LATE):
            return _problem(504)
        return _json(200, answer)

    def point(self, token: str) -> ChargePoint:
        return self.points.setdefault(token, ChargePoint())

    def _start(self, request: Request, token: str, charger: str, behavior: Behavior) -> dict[str, Any]:
        point = self.point(token)
        point.received += 1
        point.began += behavior in _BEGINS
        request.sender.started += 1
        return _answer(charger, "Accepted" if behavior in _BEGINS else "Rejected")


@dataclass(slots=True)
class NativeServer(PlainServer):
    """Stores an id before it sends the call; a repeat never causes a second call."""

    records: dict[str, Record] = field(default_factory=dict)

    def serve(self, request: Request, behavior: Behavior) -> Response | None:
        if request.method == "GET":  # an older server, which does not show its record of an id
            return _problem(404, "no-such-resource")
        if behavior in _NOT_READ:
            return _refused_response(behavior)
        charger, id_, token = _read(request)
        record = self.records.setdefault(id_, Record())
        if not record.sent:
            if behavior in _NOT_SENT:
                return _not_sent(behavior, charger)
            record.sent = True
            if behavior is Behavior.DIES_RECORDED:
                return None
            self._call(record, request, token, charger, behavior)
        if behavior in (*_GARBLED, Behavior.DIES_RECORDED):
            return _garbled(behavior, record.answer)
        return _json(200, record.answer) if record.answer else _problem(504)

    def answer_late(self) -> None:
        """Send the answers of all chargers whose answers are late."""
        for record in self.records.values():
            record.answer = record.answer or record.late

    def has_result(self, id_: str) -> bool:
        """Return whether a repeat of `id_` gets a definite result: it was never sent, or was answered."""
        record = self.records.get(id_, Record())
        return record.answer is not None or not record.sent

    def _call(self, record: Record, request: Request, token: str, charger: str, behavior: Behavior) -> None:
        answer = self._start(request, token, charger, behavior)
        match behavior:
            case Behavior.SILENT | Behavior.DIES_SENT:
                pass
            case Behavior.LATE:
                record.late = answer
            case _:
                record.answer = answer


@dataclass(frozen=True, slots=True)
class Callback:
    """The callback URL in a start of `sender`, and the charger's answer; None if it does not answer, or received no call."""

    url: str
    sender: Invocation
    body: dict[str, Any] | None = None


@dataclass(slots=True)
class CallingServer(PlainServer):
    """Posts the charger's answer to a callback URL. `callbacks` has one for every request that it read, in order."""

    callbacks: list[Callback] = field(default_factory=list)

    def serve(self, request: Request, behavior: Behavior) -> Response | None:
        if behavior in _NOT_READ or behavior is Behavior.DIES_RECORDED:
            return _refused_response(behavior)
        query = parse_qs(urlsplit(request.path).query)
        (url,), (charger,) = query["callbackUrl"], query["identifier"]
        if behavior in _NOT_SENT:
            self.callbacks.append(Callback(url, request.sender))
            why = f"No connection found for identifier: 1:{charger}"
            return _json(200, [{"success": False, "payload": why}])
        status = self._start(request, json.loads(request.body)["idTag"], charger, behavior)["status"]
        body = {"_errorCode": "NotImplemented"} if behavior is Behavior.NOT_SUPPORTED else {"status": status}
        answers = None if behavior is Behavior.SILENT else body
        self.callbacks.append(Callback(url, request.sender, answers))
        if behavior in _GARBLED:
            return _garbled(behavior, {})
        return _json(200, [{"success": True}])


def _read(request: Request) -> tuple[str, str, str]:
    """Return charger, id and token."""
    _, _, _, _, charger, _, id_ = request.path.split("/")
    return charger, id_, json.loads(request.body)["tokenId"]


def _answer(charger: str, status: str, info: str | None = None) -> dict[str, Any]:
    return {"chargerId": charger, "connectorId": 1, "errorCode": "NoError", "status": status, "info": info}


def _refused_response(behavior: Behavior) -> Response | None:
    if behavior is Behavior.UNAUTHORIZED:
        return _problem(401)
    return (
        Response(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")
        if behavior is Behavior.PAGE_BEFORE
        else None
    )


def _not_sent(behavior: Behavior, charger: str) -> Response:
    if behavior is Behavior.OFFLINE:
        return _json(200, _answer(charger, "Unavailable", "not-connected"))
    return _problem(503, "not-sent") if behavior is Behavior.BUSY else _problem(404, "charger-unknown")


def _garbled(behavior: Behavior, answer: dict[str, Any] | None) -> Response | None:
    if behavior is Behavior.NONSENSE:
        return _json(200, {**(answer or {}), "status": "?"})
    return Response(502, {"content-type": "text/html"}, b"") if behavior is Behavior.PAGE_AFTER else None


def _json(status: int, document: object) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(document).encode())


def _problem(status: int, kind: str = "") -> Response:
    body = json.dumps({"type": f"/problems/{kind}"}).encode()
    return Response(status, {"content-type": "application/problem+json"}, body)

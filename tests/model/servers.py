"""Three OCPP servers as the link meets them, and the charge points behind them, which count.

`NativeServer` keeps the rules of docs/native-link.openapi.yaml: its record is durable, and decides. `PlainServer`
remembers nothing and starts a charge at every request that it gets: with it every repeat is a double start. `CallingServer`
does so too, as CitrineOS: it answers that the start is published, and what the charger answers goes to the URL of the request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from common.transport import Response

if TYPE_CHECKING:
    from tests.model.harness import Invocation, Message


class Weather(StrEnum):
    """What a request meets at its server, and behind it."""

    ACCEPTS = "the charger accepts"
    REJECTS = "the charger rejects"
    SILENT = "the charger says nothing, and does nothing"
    LATE = "the charger starts, and answers after the wait"
    NOT_SUPPORTED = "the charger does not know the call"
    OFFLINE = "the charger is not connected"
    BUSY = "the charger is busy for the whole wait"
    UNKNOWN = "the charger is not known"
    UNAUTHORIZED = "the credentials do not hold at the moment"
    NONSENSE = "the charger accepts, and the answer is garbled"
    PAGE_BEFORE = "a proxy answers in the server's place"
    PAGE_AFTER = "the charger accepts, and a proxy answers in the server's place"
    DIES_BEFORE = "the server dies before it has recorded anything"
    DIES_RECORDED = "the server dies between its record and the call"
    DIES_SENT = "the server dies when the call has left"


_AT_THE_DOOR = (Weather.UNAUTHORIZED, Weather.PAGE_BEFORE, Weather.DIES_BEFORE)
_NOT_SENT = (Weather.OFFLINE, Weather.BUSY, Weather.UNKNOWN)
_GARBLED = (Weather.NONSENSE, Weather.PAGE_AFTER, Weather.DIES_SENT)
_BEGINS = (Weather.ACCEPTS, Weather.LATE, *_GARBLED)


@dataclass(slots=True)
class ChargePoint:
    """What a charge point received for one token, and how many charges it began."""

    received: int = 0
    began: int = 0


@dataclass(slots=True)
class Record:
    """A native server's: `answer` is None while none is known."""

    sent: bool = False
    answer: dict[str, Any] | None = None
    late: dict[str, Any] | None = None


@dataclass(slots=True)
class PlainServer:
    """Sends a start at every request; what it answered is forgotten at once."""

    points: dict[str, ChargePoint] = field(default_factory=dict)

    def serve(self, message: Message, weather: Weather) -> Response | None:
        """The answer to a PUT; None: the connection breaks."""
        if weather in _AT_THE_DOOR or weather is Weather.DIES_RECORDED:
            return _turned_away(weather)
        charger, _, token = _read(message)
        if weather in _NOT_SENT:
            return _not_sent(weather, charger)
        answer = self._start(message, token, charger, weather)
        if weather in _GARBLED:
            return _garbled(weather, answer)
        if weather in (Weather.SILENT, Weather.LATE):
            return _problem(504)
        return _json(200, answer)

    def point(self, token: str) -> ChargePoint:
        return self.points.setdefault(token, ChargePoint())

    def _start(self, message: Message, token: str, charger: str, weather: Weather) -> dict[str, Any]:
        point = self.point(token)
        point.received += 1
        point.began += weather in _BEGINS
        message.sender.started += 1
        return _answer(charger, "Accepted" if weather in _BEGINS else "Rejected")


@dataclass(slots=True)
class NativeServer(PlainServer):
    """Records an id before the call leaves; a repeat never causes a second call."""

    records: dict[str, Record] = field(default_factory=dict)

    def serve(self, message: Message, weather: Weather) -> Response | None:
        if weather in _AT_THE_DOOR:
            return _turned_away(weather)
        charger, id_, token = _read(message)
        record = self.records.setdefault(id_, Record())
        if not record.sent:
            if weather in _NOT_SENT:
                return _not_sent(weather, charger)
            record.sent = True
            if weather is Weather.DIES_RECORDED:
                return None
            self._call(record, message, token, charger, weather)
        if weather in (*_GARBLED, Weather.DIES_RECORDED):
            return _garbled(weather, record.answer)
        return _json(200, record.answer) if record.answer else _problem(504)

    def hear_late(self) -> None:
        """Every charger that has yet to answer does so now."""
        for record in self.records.values():
            record.answer = record.answer or record.late

    def knows(self, id_: str) -> bool:
        """Whether a repeat of `id_` would be told a definite answer: it was never sent, or was answered."""
        record = self.records.get(id_, Record())
        return record.answer is not None or not record.sent

    def _call(self, record: Record, message: Message, token: str, charger: str, weather: Weather) -> None:
        answer = self._start(message, token, charger, weather)
        match weather:
            case Weather.SILENT | Weather.DIES_SENT:
                pass
            case Weather.LATE:
                record.late = answer
            case _:
                record.answer = answer


@dataclass(frozen=True, slots=True)
class Callback:
    """A URL that came with a start of `sender`, and what the charger answers; None where it never does, or was not asked."""

    url: str
    sender: Invocation
    body: dict[str, Any] | None = None


@dataclass(slots=True)
class CallingServer(PlainServer):
    """`callbacks` are those of every request that it read, in order."""

    callbacks: list[Callback] = field(default_factory=list)

    def serve(self, message: Message, weather: Weather) -> Response | None:
        if weather in _AT_THE_DOOR or weather is Weather.DIES_RECORDED:
            return _turned_away(weather)
        query = parse_qs(urlsplit(message.path).query)
        (url,), (charger,) = query["callbackUrl"], query["identifier"]
        if weather in _NOT_SENT:
            self.callbacks.append(Callback(url, message.sender))
            why = f"No connection found for identifier: 1:{charger}"
            return _json(200, [{"success": False, "payload": why}])
        status = self._start(message, json.loads(message.body)["idTag"], charger, weather)["status"]
        body = {"_errorCode": "NotImplemented"} if weather is Weather.NOT_SUPPORTED else {"status": status}
        answers = None if weather is Weather.SILENT else body
        self.callbacks.append(Callback(url, message.sender, answers))
        if weather in _GARBLED:
            return _garbled(weather, {})
        return _json(200, [{"success": True}])


def _read(message: Message) -> tuple[str, str, str]:
    """Charger, id and token."""
    _, _, _, _, charger, _, id_ = message.path.split("/")
    return charger, id_, json.loads(message.body)["tokenId"]


def _answer(charger: str, status: str, info: str | None = None) -> dict[str, Any]:
    return {"chargerId": charger, "connectorId": 1, "errorCode": "NoError", "status": status, "info": info}


def _turned_away(weather: Weather) -> Response | None:
    if weather is Weather.UNAUTHORIZED:
        return _problem(401)
    return (
        Response(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")
        if weather is Weather.PAGE_BEFORE
        else None
    )


def _not_sent(weather: Weather, charger: str) -> Response:
    if weather is Weather.OFFLINE:
        return _json(200, _answer(charger, "Unavailable", "not-connected"))
    return _problem(503, "not-sent") if weather is Weather.BUSY else _problem(404, "charger-unknown")


def _garbled(weather: Weather, answer: dict[str, Any] | None) -> Response | None:
    if weather is Weather.NONSENSE:
        return _json(200, {**(answer or {}), "status": "?"})
    return Response(502, {"content-type": "text/html"}, b"") if weather is Weather.PAGE_AFTER else None


def _json(status: int, document: object) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(document).encode())


def _problem(status: int, kind: str = "") -> Response:
    body = json.dumps({"type": f"/problems/{kind}"}).encode()
    return Response(status, {"content-type": "application/problem+json"}, body)

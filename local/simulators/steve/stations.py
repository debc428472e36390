"""The charge points of a SteVe, and their sockets."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from uuid import uuid4

from ocpp.exceptions import OCPPError
from ocpp.messages import Call, unpack
from websockets.exceptions import ConnectionClosed

from local.csms.chargers import Charger, Chargers, Session
from local.ocppj import Disconnected

if TYPE_CHECKING:
    from ocpp.messages import CallError, CallResult
    from websockets.asyncio.server import ServerConnection

    from local.csms.recorder import Recorder
    from local.ocppj import Payload

SERVER_ERROR = 1011
"""The close code of RFC 6455 with which SteVe closes a socket."""


class Socket(Session):
    """One WebSocket of a charge point. SteVe closes it after an answer that is late or that it cannot parse.

    `raw` is the text of the last answer, `details` the JSON text of its errorDetails.
    """

    raw = ""
    details: str | None = None

    async def send(self, action: str, payload: Payload) -> asyncio.Future[Payload]:
        """Send a call without validation: from 38b299a149c6 on, SteVe sends tokens longer than OCPP 1.6 allows."""
        message = Call(str(uuid4()), action, payload)
        pending: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._waiting[message.unique_id] = (action, pending)
        try:
            await self.websocket.send(message.to_json())
        except ConnectionClosed:
            self._waiting.pop(message.unique_id, None)
            raise Disconnected from None
        return pending

    async def _route(self, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        try:
            message = unpack(text)
        except OCPPError:
            await self.websocket.close(SERVER_ERROR)
            return
        if not isinstance(message, Call):
            _, pending = self._waiting.get(str(message.unique_id), (None, None))
            if pending is None or pending.done():  # to another call, or late
                await self.websocket.close(SERVER_ERROR)
                return
            self.raw = text
        await super()._route(text)

    async def _resolve(self, message: CallResult | CallError) -> None:
        details = getattr(message, "error_details", None)
        self.details = json.dumps(details, separators=(",", ":")) if details else None
        await super()._resolve(message)


class Stations(Chargers):
    """The charge points of one SteVe. It sends a call to the newest socket of a charge point."""

    def __init__(self, timeout: float) -> None:
        super().__init__((), timeout)
        self._sockets: dict[str, list[Socket]] = {}

    def newest(self, identity: str) -> Socket | None:
        """Return the newest open socket of a charge point, or None. The identity's letter case matters."""
        return next((one for one in reversed(self._sockets.get(identity, ())) if one.open), None)

    async def serve(self, websocket: ServerConnection, identity: str, recorder: Recorder) -> None:
        """Serve one socket until it closes. Older sockets of the same charge point stay open."""
        charger = self.by_identity.setdefault(identity, Charger(identity))
        socket = Socket(websocket, charger, recorder, self._call_timeout)
        sockets = self._sockets.setdefault(identity, [])
        sockets.append(socket)
        charger.session = socket
        try:
            await socket.run()
        finally:
            sockets.remove(socket)
            charger.session = self.newest(identity)

"""One call to a charge point, and how SteVe describes what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import OCPPError

from local.ocppj import CallFailed, Disconnected
from local.simulators.steve.stations import SERVER_ERROR

if TYPE_CHECKING:
    from local.csms.version import Call
    from local.simulators.steve.stations import Socket

_ERROR_CODES = frozenset(  # of OCPP 1.6J; SteVe cannot parse any other
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
)


async def call_station(socket: Socket, charger: str, call: Call, timeout: float) -> dict[str, Any]:
    """Return the list of the task's response that has an entry; empty if the charge point did not answer in time."""
    clock = asyncio.get_running_loop().time
    until = clock() + timeout
    try:
        pending = await socket.send(*call)
    except Disconnected:
        return _exception(charger, f"No session context for chargeBoxId '{charger}'")
    done, _ = await asyncio.wait({pending}, timeout=timeout)
    if not done:
        pending.cancel()
        return {}
    try:
        status = pending.result()["status"]
    except Disconnected:  # SteVe keeps waiting for a charge point whose socket has closed
        await asyncio.sleep(until - clock())
        return {}
    except CallFailed as failed:
        if failed.code in _ERROR_CODES:
            error = {"chargeBoxId": charger, "errorCode": failed.code, "errorDescription": None}
            return {"errorResponses": [{**error, "errorDetails": socket.details}]}
        return await _reject_unreadable(socket, charger)
    except OCPPError:
        return await _reject_unreadable(socket, charger)
    return {"successResponses": [{"chargeBoxId": charger, "response": status}]}


async def _reject_unreadable(socket: Socket, charger: str) -> dict[str, Any]:
    await socket.websocket.close(SERVER_ERROR)
    return _exception(charger, f"Deserialization of incoming string failed: {socket.raw}")


def _exception(charger: str, message: str) -> dict[str, Any]:
    return {"exceptions": [{"chargeBoxId": charger, "exceptionMessage": message}]}

"""Snapshots of the charge points for the console, and the commands that it sends."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from local.chargers.behaviours import Reaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.chargers.behaviours import Behaviour
    from local.chargers.chargepoint import ChargePoint

_MAX_TRANSACTIONS = 20
_TOKEN_FIELDS = ("idtag", "idtoken")
"""Endings of the names of fields that hold a token, in both OCPP versions: `parentIdTag`, `additionalIdToken`, ..."""


def take_snapshot(charge_points: Iterable[ChargePoint]) -> list[dict[str, Any]]:
    """Return the current state of each one.

    `starts` counts the starts received. `transactions` are the last charges, with the times of the charge point's own clock.
    `messages` are the last ones, tokens masked.
    """
    return [
        {
            **_describe(charge_point.behaviour),
            "connected": charge_point.connected,
            "connectors": [
                {"connectorId": connector, "status": status}
                for connector, status in charge_point.statuses.items()
            ],
            "starts": len(charge_point.starts),
            "transactions": [
                {
                    "id": charge_point.id_of(one),
                    "connectorId": one.connector,
                    "startedAt": one.started_at,
                    "stoppedAt": one.stopped_at,
                }
                for one in charge_point.transactions[-_MAX_TRANSACTIONS:]
            ],
            "messages": [
                {**asdict(message), "payload": mask_tokens(message.payload)}
                for message in charge_point.messages
            ],
        }
        for charge_point in charge_points
    ]


def mask_tokens(payload: Any) -> Any:
    """Return a copy of an OCPP payload with every token masked as in the API: from 12 characters on, the last four are shown."""
    if isinstance(payload, dict):
        return {
            name: _mask(value)
            if isinstance(value, str) and name.lower().endswith(_TOKEN_FIELDS)
            else mask_tokens(value)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        return [mask_tokens(one) for one in payload]
    return payload


def _mask(token: str) -> str:
    return f"****{token[-4:]}" if len(token) >= 12 else "****"


def _describe(behaviour: Behaviour) -> dict[str, Any]:
    return {
        "chargerId": behaviour.identity,
        "version": behaviour.version,
        "online": behaviour.online,
        "reaction": str(behaviour.reaction),
        "delay": behaviour.delay,
        "cable": behaviour.cable,
        "busy": sorted(behaviour.busy),
    }


def set_behaviour(charge_points: Mapping[str, ChargePoint], command: Mapping[str, Any]) -> None:
    """Set `online` and `reaction` of the charge point `chargerId`."""
    behaviour = charge_points[command["chargerId"]].behaviour
    behaviour.online = command["online"]
    behaviour.reaction = Reaction(command["reaction"])

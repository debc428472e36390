"""Charge points as the console shows them, and the orders that it gives."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from local.chargers.behaviours import Reaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.chargers.behaviours import Behaviour
    from local.chargers.chargepoint import ChargePoint

_TOKEN_FIELDS = ("idtag", "idtoken")
"""How the names of fields that hold a token end, in both versions: `parentIdTag`, `additionalIdToken`, ..."""


def shown(chargers: Iterable[ChargePoint]) -> list[dict[str, Any]]:
    """What is true of each one now; `starts` counts the starts that reached it, `messages` are its last ones, without tokens."""
    return [
        {
            **described(charger.behaviour),
            "connected": charger.connected,
            "connectors": [
                {"connectorId": connector, "status": status} for connector, status in charger.statuses.items()
            ],
            "starts": len(charger.starts),
            "messages": [
                {**asdict(message), "payload": without_tokens(message.payload)}
                for message in charger.messages
            ],
        }
        for charger in chargers
    ]


def without_tokens(payload: Any) -> Any:
    """Return a copy of an OCPP payload with every token masked as the API masks it: its last four characters from 12 on."""
    if isinstance(payload, dict):
        return {
            name: _masked(value)
            if isinstance(value, str) and name.lower().endswith(_TOKEN_FIELDS)
            else without_tokens(value)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        return [without_tokens(one) for one in payload]
    return payload


def _masked(token: str) -> str:
    return f"****{token[-4:]}" if len(token) >= 12 else "****"


def described(behaviour: Behaviour) -> dict[str, Any]:
    """Who a charge point is and how it behaves; times in seconds."""
    return {
        "chargerId": behaviour.identity,
        "version": behaviour.version,
        "online": behaviour.online,
        "reaction": str(behaviour.reaction),
        "delay": behaviour.delay,
        "cable": behaviour.cable,
        "busy": sorted(behaviour.busy),
    }


def obey(chargers: Mapping[str, ChargePoint], order: Mapping[str, Any]) -> None:
    """Changes `online` and `reaction` of the charge point `chargerId`."""
    behaviour = chargers[order["chargerId"]].behaviour
    behaviour.online = order["online"]
    behaviour.reaction = Reaction(order["reaction"])

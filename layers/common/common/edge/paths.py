"""The paths of the API, as the routes in `template.yaml` have them."""

from __future__ import annotations

from typing import Final

CHARGER_CONNECT: Final = "/api/v1/ocpp/charger-connect"
ATTEMPT: Final = f"{CHARGER_CONNECT}/{{id}}"
RESOLUTION: Final = f"{ATTEMPT}/resolution"
UNKNOWN_ATTEMPTS: Final = "/api/v1/ocpp/attempts"
CHARGER_ATTEMPTS: Final = "/api/v1/ocpp/chargers/{chargerId}/attempts"
CALLBACKS: Final = "/api/v1/ocpp/callbacks"
CALLBACK: Final = f"{CALLBACKS}/{{id}}/{{expires}}/{{signature}}"


def attempt_path(id_: str) -> str:
    """Return the path of one attempt, which is also the `instance` of a problem about it."""
    return f"{CHARGER_CONNECT}/{id_}"

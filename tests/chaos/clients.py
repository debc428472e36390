"""Callers that send each request until they receive a definite response. Some requests have two simultaneous callers."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import random

    from tests.chaos.harness import Harness

PATH = "/api/v1/ocpp/charger-connect"
CALLERS = 10
_TRIES = 12  # of each caller during the storm
# The number of 504 responses after which a caller stops for now: each takes the link's full timeout.
_MAX_UNKNOWN = 2


@dataclass(slots=True)
class Order:
    """One attempt with its own id and token, and all responses that its callers received."""

    id: str
    charger: str
    token: str
    two_callers: bool
    responses: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def answers(self) -> set[str]:
        """The statuses in the charger's answers that the callers received."""
        return {body["status"] for status, body in self.responses if status == 200} - {"Unavailable"}

    @property
    def is_answered(self) -> bool:
        """Whether a caller received the charger's answer."""
        return bool(self.answers)


def make_orders(count: int, chargers: list[str], rng: random.Random) -> list[Order]:
    return [
        Order(
            id=str(UUID(int=rng.getrandbits(128), version=4)),
            charger=rng.choice(chargers),
            token=f"T{number:07d}",
            two_callers=rng.random() < 0.3,
        )
        for number in range(count)
    ]


def send_all(orders: list[Order], harness: Harness, tries: int = _TRIES) -> None:
    """Send every order until the charger's answer is received or the caller gives up; some by two callers at the same time."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [order for order in orders for _ in range(2 if order.two_callers else 1)]
        for _ in pool.map(lambda order: _send_until_answered(order, harness, tries), callers):
            pass


def _send_until_answered(order: Order, harness: Harness, tries: int) -> None:
    unknown = 0
    for _ in range(tries):
        if order.is_answered or unknown == _MAX_UNKNOWN:
            return
        status, retry_after, body = _send(order, harness)
        order.responses.append((status, body))
        unknown += status == 504
        time.sleep(min(retry_after, 1.0))


def _send(order: Order, harness: Harness) -> tuple[int, float, dict[str, Any]]:
    """Send one request; return the status (0 if there is no response), the seconds to wait before a retry, and the body."""
    request = {
        "id": order.id,
        "chargerId": order.charger,
        "tokenId": order.token,
        "serverIpAddress": "127.0.0.1",
        "serverRestApiPort": harness.server.rest_port,
    }
    try:
        with closing(HTTPConnection("127.0.0.1", harness.port, timeout=40)) as connection:
            connection.request("POST", PATH, json.dumps(request), {"Content-Type": "application/json"})
            response = connection.getresponse()
            retry_after = float(response.headers.get("Retry-After", 0.2))
            return response.status, retry_after, json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        return 0, 0.2, {}

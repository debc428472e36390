"""Callers as they should be, and some as they are: patient, impatient, and two at once with the same id."""

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

    from tests.chaos.harness import Stage

PATH = "/api/v1/ocpp/charger-connect"
CALLERS = 10
_TRIES = 12  # while the storm lasts
_UNKNOWNS = 2  # times that a caller hears 504 before it gives up for now: each takes as long as the link may


@dataclass(slots=True)
class Order:
    """One attempt: an id and a token of its own, and everything that its callers heard."""

    id: str
    charger: str
    token: str
    twice: bool
    heard: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def told(self) -> set[str]:
        """The definite answers about a charger that was asked, which its callers heard."""
        return {body["status"] for status, body in self.heard if status == 200} - {"Unavailable"}

    @property
    def done(self) -> bool:
        """Whether some caller heard one."""
        return bool(self.told)


def orders(count: int, chargers: list[str], draw: random.Random) -> list[Order]:
    return [
        Order(
            id=str(UUID(int=draw.getrandbits(128), version=4)),
            charger=draw.choice(chargers),
            token=f"T{number:07d}",
            twice=draw.random() < 0.3,
        )
        for number in range(count)
    ]


def carry_out(given: list[Order], stage: Stage, tries: int = _TRIES) -> None:
    """Send every order, again and again until something definite is heard or patience ends; some by two callers at once."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [order for order in given for _ in range(2 if order.twice else 1)]
        for _ in pool.map(lambda order: _insist(order, stage, tries), callers):
            pass


def _insist(order: Order, stage: Stage, tries: int) -> None:
    unknowns = 0
    for _ in range(tries):
        if order.done or unknowns == _UNKNOWNS:
            return
        status, retry_after, body = send(order, stage)
        order.heard.append((status, body))
        unknowns += status == 504
        time.sleep(min(retry_after, 1.0))


def send(order: Order, stage: Stage) -> tuple[int, float, dict[str, Any]]:
    """One request: status (0: no answer), seconds until another makes sense, and the body."""
    request = {
        "id": order.id,
        "chargerId": order.charger,
        "tokenId": order.token,
        "serverIpAddress": "127.0.0.1",
        "serverRestApiPort": stage.server.rest_port,
    }
    try:
        with closing(HTTPConnection("127.0.0.1", stage.port, timeout=40)) as connection:
            connection.request("POST", PATH, json.dumps(request), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, float(answer.headers.get("Retry-After", 0.2)), json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        return 0, 0.2, {}

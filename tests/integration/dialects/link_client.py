"""Send requests to a simulator through the real link, over a real socket."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from charger_link import Circuits, Command, Link, LinkError, LinkServers
from charger_link.secrets import Secrets
from common.transport import Deadline
from local.chargers import charging
from local.running import in_thread
from local.simulators import serving_simulator
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charger_link import Answer, Published
    from local.chargers import Behaviour, ChargePoint
    from local.simulators import Simulator
    from local.simulators.serving import Model

LONG_TOKEN = "DE8AA1234567890123456"  # 21 characters: one more than OCPP 1.6 allows
CALLBACK_URL = "http://127.0.0.1:9/api/v1/ocpp/callbacks/id/1/s?a=b&c=d"


class LinkClient:
    """A link to one simulator. `secret` returns the value of the secret, and is called for each read."""

    def __init__(
        self, simulator: Simulator, dialect: str, secret: Callable[[], object] | None = None
    ) -> None:
        self.reads = 0
        self._secret = secret
        self._port = simulator.port
        self._entry = {"network": "127.0.0.0/8", "ports": [simulator.port], "dialect": dialect} | {
            "scheme": "http"
        }
        if secret:
            self._entry["secret"] = "credentials"
        self._link = Link(Circuits(), Secrets(self._read))

    def __call__(
        self,
        charger: str,
        token: str | None = "TAG1",
        connector: int | None = 1,
        timeout: float = 10.0,
        **entry: Any,
    ) -> Answer | Published | LinkError:
        """Return the link's answer or its error."""
        servers = LinkServers.parse(json.dumps([self._entry | entry]))
        command = Command(
            id=str(uuid4()),
            charger_id=charger,
            token=token,
            connector=connector,
            server=servers.find("127.0.0.1", self._port),
            callback_url=CALLBACK_URL,
        )
        try:
            return self._link.connect(command, Deadline.after(timeout))
        except LinkError as error:
            return error

    def _read(self, name: str, _: Deadline) -> str:
        assert name == "credentials"
        assert self._secret
        self.reads += 1
        return json.dumps(self._secret())


def summarize(result: object) -> str:
    """Return a result in one line: ``accepted Accepted null``, or the error's type and kind."""
    if isinstance(result, LinkError):
        return f"{type(result).__name__} {result.kind}"
    if (outcome := getattr(result, "outcome", None)) is None:
        return type(result).__name__
    return f"{outcome} {result.status} {result.info or 'null'}"  # type: ignore[attr-defined]


@contextmanager
def running_simulator(
    model: Model, *behaviours: Behaviour
) -> Iterator[tuple[Simulator, dict[str, ChargePoint]]]:
    """Run a simulator with these charge points. Each has reported its connectors, and is online or not, as its behaviour says."""
    wanted = {behaviour.identity: behaviour.online for behaviour in behaviours}
    for behaviour in behaviours:
        behaviour.online = True
    known = model.chargers.by_identity
    with (
        in_thread(serving_simulator(model)) as simulator,
        in_thread(charging(behaviours, simulator.ocpp_url)) as points,
    ):
        for behaviour in behaviours:
            name = behaviour.identity
            eventually(lambda: name in known and len(known[name].reports) == behaviour.connectors)  # noqa: B023
            behaviour.online = wanted[name]
            eventually(lambda: is_connected(simulator, name) is behaviour.online)  # noqa: B023
        yield simulator, points


def starts(points: dict[str, ChargePoint]) -> list[tuple[str, int | None, str]]:
    """Return every start that a charge point received."""
    return [(one.charger, one.connector, one.token) for point in points.values() for one in point.starts]


def is_connected(simulator: Simulator, identity: str) -> bool:
    connection = HTTPConnection(urlsplit(simulator.url).netloc, timeout=10)
    try:
        connection.request("GET", "/simulator/connected")
        return identity in json.loads(connection.getresponse().read())
    finally:
        connection.close()

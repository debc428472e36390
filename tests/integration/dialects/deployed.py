"""The service with a simulated CitrineOS: it posts callbacks to the callback route, and sends starts to real charge points."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import callback.handler
import callback.service
from common.aws.credentials import from_environment
from common.journal import DynamoDB, Journal
from local import template
from local.chargers import charging
from local.gateway import serve
from local.invokers import in_process
from local.running import in_thread
from local.simulators import CitrineOS, serving_simulator
from tests.integration.calling import LOOPBACK, Caller, CallerResponse, request
from tests.integration.dialects.link_client import is_connected
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.chargers import Behaviour, ChargePoint
    from local.server import Server
    from local.simulators import Simulator
    from local.table import TableServer

SECRET = "a secret of the tests"


class Deployed:
    """The connect function, the gateway with the callback route, one CitrineOS and its charge points."""

    def __init__(
        self,
        table: TableServer,
        caller: Caller,
        gateway: Server,
        citrineos: CitrineOS,
        simulator: Simulator,
        points: dict[str, ChargePoint],
    ) -> None:
        self.table = table
        self.caller = caller
        self.gateway = gateway
        self.citrineos = citrineos
        self.simulator = simulator
        self.points = points

    def request(self, charger: str, **changes: Any) -> dict[str, Any]:
        return request(self.simulator.port, **{"chargerId": charger, **changes})

    def start(self, charger: str, **changes: Any) -> CallerResponse:
        return self.caller.post(self.request(charger, **changes))

    def state(self, id_: str) -> tuple[str, str | None]:
        """Return the state and outcome of an attempt, as GET shows them."""
        attempt = self.caller.get(id_).body
        return attempt["state"], attempt["outcome"]

    def item(self, id_: str) -> dict[str, Any]:
        (item,) = [item for item in self.table.items() if item["id"]["S"] == id_]
        return item

    def url_of(self, id_: str) -> str:
        """Return the callback URL in the newest start of an attempt."""
        return str(eventually(lambda: [url for url in self.citrineos.callback_urls if id_ in url])[-1])


def call_back(url: str, body: Any) -> tuple[int, bytes]:
    """Send a callback as CitrineOS does, and return the response's status and body. A `body` of bytes is sent unchanged."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST", target, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def deployed(
    table: TableServer,
    behaviours: Sequence[Behaviour],
    citrineos: CitrineOS | None = None,
    **settings: str,
) -> Iterator[Deployed]:
    citrineos = citrineos or CitrineOS()
    environ = table.environment()
    dynamodb = DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))
    service = callback.service.Service(Journal(dynamodb, table.name), SECRET.encode())
    handlers = {"CallbackFunction": lambda event, context: callback.handler.respond(event, context, service)}
    entry = {**LOOPBACK, "dialect": "citrineos"}
    with ExitStack() as stack:
        stack.callback(dynamodb.close)
        gateway = stack.enter_context(closing(serve(template.read().routes, in_process(handlers))))
        simulator = stack.enter_context(in_thread(serving_simulator(citrineos)))
        points = stack.enter_context(in_thread(charging(behaviours, simulator.ocpp_url)))
        settings = {"CALLBACK_BASE_URL": gateway.url, "JOURNAL_SECRET": SECRET, **settings}
        caller = stack.enter_context(closing(Caller(table, [entry], settings)))
        for behaviour in behaviours:
            eventually(partial(_has_connection_state, simulator, behaviour))
        yield Deployed(table, caller, gateway, citrineos, simulator, points)


def _has_connection_state(simulator: Simulator, behaviour: Behaviour) -> bool:
    return is_connected(simulator, behaviour.identity) is behaviour.online

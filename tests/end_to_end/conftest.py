"""Fixtures: the built artefact, and the whole service with gateway, table, OCPP server and charge points."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from local import template
from local.chargers import charging
from local.chargers.behaviours import usual
from local.csms import Options, serving
from local.gateway import serve
from local.invokers import over_http
from local.running import in_thread
from local.table import start_table
from tests.end_to_end import emulator
from tests.end_to_end.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.table import TableServer

LINK_SERVERS = [{"network": "127.0.0.0/8", "ports": ["1024-65535"], "scheme": "http"}]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running service.

    `port` is the gateway's port, `rest_port` the OCPP server's. The charge points record every start that they receive in
    `starts_file`.
    """

    port: int
    rest_port: int
    table: TableServer
    functions: dict[str, Emulator]
    starts_file: Path

    def request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Send one HTTP request to the gateway; return the status, the headers by lower-case name, and the body."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=40)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, fields, response.read().decode()

    def count_starts(self, token: str) -> int:
        """Return the number of starts with this token that charge points have received."""
        lines = self.starts_file.read_text().splitlines() if self.starts_file.exists() else []
        return sum(json.loads(line)["token"] == token for line in lines)


@pytest.fixture(scope="session")
def artefact() -> Path:
    """The directory of the artefact, built for this machine.

    If the artefact cannot run here, the tests are skipped; with REQUIRE_ARTEFACT=1 they fail.
    """
    reason = emulator.missing()
    if reason and os.environ.get("REQUIRE_ARTEFACT") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return emulator.build()


@pytest.fixture(scope="session")
def deployment(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running service with one runtime for each function and the usual charge points."""
    starts_file = tmp_path_factory.mktemp("chargers") / "starts.jsonl"
    behaviours = usual()
    known = tuple(behaviour.identity for behaviour in behaviours)
    with ExitStack() as stack:
        table = stack.enter_context(closing(start_table()))
        csms = stack.enter_context(in_thread(serving(Options(known=known))))
        stack.enter_context(in_thread(charging(behaviours, csms.ocpp_url, starts_file)))
        _wait_until_connected(
            csms.rest_port, [behaviour.identity for behaviour in behaviours if behaviour.online]
        )
        variables = table.environment() | {"LINK_SERVERS": json.dumps(LINK_SERVERS)}
        resources = template.read()
        functions = {
            name: stack.enter_context(Emulator(name, variables, artefact=artefact))
            for name in {route.function for route in resources.routes}
            | {schedule.function for schedule in resources.schedules}
        }
        invoke = over_http({name: [function.url] for name, function in functions.items()})
        gateway = stack.enter_context(closing(serve(template.read().routes, invoke)))
        yield Deployment(gateway.port, csms.rest_port, table, functions, starts_file)


def _wait_until_connected(rest_port: int, identities: list[str], timeout: float = 20.0) -> None:
    until = time.monotonic() + timeout
    while missing := [
        identity for identity in identities if _read_status(rest_port, identity) == "Unavailable"
    ]:
        assert time.monotonic() < until, f"not connected: {missing}"
        time.sleep(0.05)


def _read_status(rest_port: int, identity: str) -> Any:
    with closing(HTTPConnection("127.0.0.1", rest_port, timeout=30)) as connection:
        connection.request("GET", f"/api/v1/chargers/{identity}")
        return json.loads(connection.getresponse().read()).get("status", "Unavailable")

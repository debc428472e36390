"""The problems that a healthy stack never returns. Each is caused at its source: OCPP server, table, setting or code."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from apidoc import examples
from apidoc.samples import PATH, encode_request, encode_response
from common.wire import MediaType
from local import template
from local.gateway import serve
from local.server import Dropped, Request, Response, Server
from local.table import THROTTLED, start_table
from tests.documentation.description import assert_described
from tests.documentation.stack import HttpResponse, Ports, Stack
from tests.integration.gateway.functions import real_functions
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charger_link import Link
    from local.table import TableServer


class CrashingLink:
    """A link that raises an unexpected exception."""

    def connect(self, *_: object) -> object:
        raise RuntimeError("raised by the test")


def respond_with(status: int, *headers: tuple[str, str]) -> Callable[[Request], Response]:
    return lambda _request: Response(status, [("Content-Type", "application/problem+json"), *headers], b"{}")


def drop(_request: Request) -> Response:
    raise Dropped


class Setup:
    """The setup that causes a problem. By default, the OCPP server drops every connection and the table is healthy."""

    def __init__(
        self,
        server: Callable[[Request], Response] = drop,
        *,
        settings: dict[str, str] | None = None,
        link: object = None,
        dialect: str = "native",
        throttled: bool = False,
        calls_before: int = 0,
    ) -> None:
        self.server = server
        self.settings = settings or {}
        self.link = link
        self.dialect = dialect
        self.throttled = throttled
        self.calls_before = calls_before
        """The number of calls with other ids that the test sends first."""


SETUPS = {
    "status-not-available": Setup(dialect="steve"),
    "internal-error": Setup(link=CrashingLink()),
    "server-refused": Setup(respond_with(401)),
    "server-error": Setup(respond_with(400)),
    "journal-unavailable": Setup(throttled=True),
    "server-busy": Setup(respond_with(503)),
    "circuit-open": Setup(calls_before=3),
    "starts-paused": Setup(settings={"PAUSED": "true"}),
    "status-unknown": Setup(drop),
}


@pytest.fixture(scope="module")
def table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.mark.parametrize("media", [MediaType.JSON, MediaType.XML])
@pytest.mark.parametrize("name", SETUPS)
def test_a_problem_is_returned_as_documented(name: str, media: MediaType, table: TableServer) -> None:
    setup, sample = SETUPS[name], examples.find_sample(name)
    table.clear()
    with ExitStack() as resources:
        server = resources.enter_context(closing(Server(setup.server, 0)))
        entry: dict[str, Any] = {
            "network": "127.0.0.0/8",
            "ports": ["1-65535"],
            "scheme": "http",
            "dialect": setup.dialect,
        }
        functions = real_functions(
            table, [entry], settings=setup.settings, link=cast("Link | None", setup.link)
        )
        invoke = resources.enter_context(functions)
        gateway = resources.enter_context(closing(serve(template.read().routes, invoke)))
        stack = Stack(Ports(gateway.port, 0, server.port, 0, *free_ports(1)))

        def connect(id_: str) -> HttpResponse:
            body = stack.ports.localize(encode_request(sample.request, media)).replace(
                sample.request["id"], id_
            )
            return stack.send("POST", PATH, body, {"Content-Type": media})

        for number in range(setup.calls_before):
            connect(f"00000000-0000-0000-0000-00000000000{number}")
        if setup.throttled:
            table.on_request = lambda _operation, _body: THROTTLED
            resources.callback(setattr, table, "on_request", lambda _operation, _body: None)
        response = connect(sample.request["id"])
    assert response.text == encode_response(sample.response, media)
    assert {name.lower(): value for name, value in sample.headers.items()}.items() <= response.headers.items()
    assert_described(response, "POST", PATH)


def test_an_unavailable_journal_is_described_for_the_reading_operations(table: TableServer) -> None:
    with ExitStack() as resources:
        invoke = resources.enter_context(real_functions(table, []))
        gateway = resources.enter_context(closing(serve(template.read().routes, invoke)))
        stack = Stack(Ports(gateway.port, 0, 0, 0, 0))
        table.on_request = lambda _operation, _body: THROTTLED
        resources.callback(setattr, table, "on_request", lambda _operation, _body: None)
        response = stack.send("GET", f"{PATH}/00000000-0000-0000-0000-000000000000")
    assert response.status == 503
    assert_described(response, "GET", f"{PATH}/{{id}}")

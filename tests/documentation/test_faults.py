"""The problems that a healthy stack never answers, each brought about where it comes from: server, table, setting, code."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from apidoc import examples
from apidoc.samples import PATH, answered, written
from common.wire import MediaType
from local import template
from local.gateway import serve
from local.server import Dropped, Request, Response, Server
from local.table import THROTTLED, start_table
from tests.documentation.description import assert_described
from tests.documentation.stack import Heard, Ports, Stack
from tests.integration.gateway.functions import real_functions
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charger_link import Link
    from local.table import TableServer


class Broken:
    """A link with a fault of its own."""

    def connect(self, *_: object) -> object:
        raise RuntimeError("of the test")


def answering(status: int, *headers: tuple[str, str]) -> Callable[[Request], Response]:
    return lambda _request: Response(status, [("Content-Type", "application/problem+json"), *headers], b"{}")


def dropping(_request: Request) -> Response:
    raise Dropped


class Setup:
    """What a fault needs: by default an OCPP server that accepts nothing, the native dialect and a healthy table."""

    def __init__(
        self,
        server: Callable[[Request], Response] = dropping,
        *,
        settings: dict[str, str] | None = None,
        link: object = None,
        dialect: str = "native",
        throttled: bool = False,
        before: int = 0,
    ) -> None:
        self.server = server
        self.settings = settings or {}
        self.link = link
        self.dialect = dialect
        self.throttled = throttled
        self.before = before
        """How many calls under other ids come first."""


FAULTS = {
    "status-not-available": Setup(dialect="steve"),
    "internal-error": Setup(link=Broken()),
    "server-refused": Setup(answering(401)),
    "server-error": Setup(answering(400)),
    "journal-unavailable": Setup(throttled=True),
    "server-busy": Setup(answering(503)),
    "circuit-open": Setup(before=3),
    "starts-paused": Setup(settings={"PAUSED": "true"}),
    "status-unknown": Setup(dropping),
}


@pytest.fixture(scope="module")
def table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.mark.parametrize("media", [MediaType.JSON, MediaType.XML])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_answered_as_documented(name: str, media: MediaType, table: TableServer) -> None:
    setup, sample = FAULTS[name], examples.sample(name)
    table.clear()
    with ExitStack() as parts:
        server = parts.enter_context(closing(Server(setup.server, 0)))
        entry: dict[str, Any] = {
            "network": "127.0.0.0/8",
            "ports": ["1-65535"],
            "scheme": "http",
            "dialect": setup.dialect,
        }
        functions = real_functions(
            table, [entry], settings=setup.settings, link=cast("Link | None", setup.link)
        )
        invoke = parts.enter_context(functions)
        gateway = parts.enter_context(closing(serve(template.read().routes, invoke)))
        stack = Stack(Ports(gateway.port, 0, server.port, 0, *free_ports(1)))

        def connect(id_: str) -> Heard:
            body = stack.ports.localized(written(sample.request, media)).replace(sample.request["id"], id_)
            return stack.send("POST", PATH, body, {"Content-Type": media})

        for number in range(setup.before):
            connect(f"00000000-0000-0000-0000-00000000000{number}")
        if setup.throttled:
            table.on_request = lambda _operation, _body: THROTTLED
            parts.callback(setattr, table, "on_request", lambda _operation, _body: None)
        heard = connect(sample.request["id"])
    assert not isinstance(sample.answer, dict)
    assert heard.text == answered(sample.answer, media)
    assert {name.lower(): value for name, value in sample.headers.items()}.items() <= heard.headers.items()
    assert_described(heard, "POST", PATH)


def test_the_journal_s_own_failure_is_described_for_those_who_read(table: TableServer) -> None:
    with ExitStack() as parts:
        invoke = parts.enter_context(real_functions(table, []))
        gateway = parts.enter_context(closing(serve(template.read().routes, invoke)))
        stack = Stack(Ports(gateway.port, 0, 0, 0, 0))
        table.on_request = lambda _operation, _body: THROTTLED
        parts.callback(setattr, table, "on_request", lambda _operation, _body: None)
        heard = stack.send("GET", f"{PATH}/00000000-0000-0000-0000-000000000000")
    assert heard.status == 503
    assert_described(heard, "GET", f"{PATH}/{{id}}")

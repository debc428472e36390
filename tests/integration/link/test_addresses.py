"""Every class of spellings of loopback, with real listeners: no request may reach them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from local.table import start_table
from tests.integration.calling import LOOPBACK, Caller, calling, request
from tests.integration.misbehaving import Misbehaving, responds_with
from tests.unit.charger_link.forbidden import LOOPBACKS
from tests.unit.charger_link.test_addresses import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture(scope="module")
def table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.fixture(scope="module")
def listeners() -> Iterator[tuple[Misbehaving, ...]]:
    """The same port on 127.0.0.1 and on ::1."""
    with (
        closing(Misbehaving(responds_with())) as first,
        closing(Misbehaving(responds_with(), host="::1", port=first.port)) as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
def caller(table: TableServer) -> Iterator[Caller]:
    entries = [{**entry, "scheme": "http"} for entry in ENTRIES]
    with calling(table, *entries, LINK_TIMEOUT="0.5") as caller:
        yield caller


@pytest.mark.parametrize("kind", LOOPBACKS)
def test_no_class_of_spelling_reaches_loopback(
    kind: str, caller: Caller, table: TableServer, listeners: tuple[Misbehaving, ...]
) -> None:
    for text in LOOPBACKS[kind]:
        reply = caller.post(request(listeners[0].port, serverIpAddress=text))
        assert reply.status in (400, 403)
        assert reply.fields in ([], ["serverIpAddress"])
        assert [listener.connections for listener in listeners] == [0, 0]
    assert set(table.operations) <= {"GetItem"}, "the look-up of the id, before a 403"
    assert table.items() == []


def test_where_loopback_is_listed_the_same_listener_is_reached(
    table: TableServer, listeners: tuple[Misbehaving, ...]
) -> None:
    """Shows that the rule, and not the listener, prevented the other requests."""
    with closing(Misbehaving(responds_with())) as mine, calling(table, LOOPBACK) as caller:
        assert caller.post(request(mine.port)).status == 200
        assert mine.connections == 1
    with closing(Misbehaving(responds_with(), host="::1")) as mine:
        entry = {**LOOPBACK, "network": "::1/128"}
        with calling(table, entry) as caller:
            assert caller.post(request(mine.port, serverIpAddress="0:0:0:0:0:0:0:1")).status == 200
        assert mine.requests[0].headers["host"] == f"[::1]:{mine.port}"

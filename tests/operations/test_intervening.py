"""Settings alone stop starts and allow them again. The tests send requests through the gateway, as a client does."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from local.gateway import serve
from local.template import read
from tests.integration.calling import LOOPBACK, PATH, request
from tests.integration.gateway.functions import real_functions
from tests.integration.misbehaving import Misbehaving, responds_with, status_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.table import TableServer

    Post = Callable[[dict[str, Any]], tuple[int, dict[str, str], dict[str, Any]]]


@contextmanager
def deployed(table: TableServer, entries: list[dict[str, Any]], **settings: str) -> Iterator[Post]:
    with (
        real_functions(table, entries, settings=settings) as invoke,
        closing(serve(read().routes, invoke)) as gateway,
    ):

        def post(members: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
            with closing(HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as connection:
                connection.request("POST", PATH, json.dumps(members), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                return answer.status, headers, json.loads(answer.read())

        yield post


def test_paused_starts_are_refused_before_claim_and_go_on_with_the_same_id(
    table: TableServer, server: Misbehaving
) -> None:
    members = request(server.port)
    with deployed(table, [LOOPBACK], PAUSED="true") as post:
        status, headers, body = post(members)
        assert (status, body["type"], body["outcome"]) == (503, "/problems/starts-paused", "not-started")
        assert int(headers["retry-after"]) >= 1
        assert (table.items(), server.requests) == ([], [])
        server.set_scripts(responds_with(body=status_body(status="Available")))
        assert post(request(server.port, tokenId=None))[0] == 200, "a status is returned nevertheless"
    server.set_scripts(responds_with())
    with deployed(table, [LOOPBACK], PAUSED="false") as post:
        assert post(members)[2]["status"] == "Accepted"


def test_a_server_that_is_not_enabled_receives_no_starts_and_another_does(
    table: TableServer, server: Misbehaving
) -> None:
    with closing(Misbehaving(responds_with())) as other:
        entries = [
            {**LOOPBACK, "ports": [server.port], "enabled": False},
            {**LOOPBACK, "ports": [other.port]},
        ]
        members = request(server.port)
        with deployed(table, entries) as post:
            status, headers, body = post(members)
            assert (status, body["type"]) == (503, "/problems/starts-paused")
            assert int(headers["retry-after"]) >= 1
            assert (table.items(), server.requests) == ([], [])
            assert post(request(other.port))[0] == 200
    with deployed(table, [{**LOOPBACK, "ports": [server.port]}]) as post:
        assert post(members)[0] == 200
    assert len(server.requests) == 1


def test_a_completed_attempt_is_replayed_while_starts_are_paused(
    table: TableServer, server: Misbehaving
) -> None:
    members = request(server.port)
    with deployed(table, [LOOPBACK]) as post:
        first = post(members)[2]
    with deployed(table, [LOOPBACK], PAUSED="true") as post:
        status, headers, body = post(members)
    assert (status, headers["idempotent-replayed"], body) == (200, "true", first)
    assert len(server.requests) == 1

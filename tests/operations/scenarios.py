"""One scenario for each result of a request, over real sockets."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import attempts.handler
import authorizer.handler
import callback.handler
import charger_connect.handler
import resolve.handler
import resolve.service
from local.table import Fault
from tests.integration.calling import Caller, Context, calling, request
from tests.integration.misbehaving import Misbehaving, hangs, responds_with, sends_problem, status_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.table import TableServer

ZERO = "00000000-0000-0000-0000-000000000000"
DENIED = Fault(apply=False, error="ResourceNotFoundException")


@contextmanager
def server(*scripts: Any) -> Iterator[Misbehaving]:
    with closing(Misbehaving(*scripts)) as misbehaving:
        yield misbehaving


def run_all(table: TableServer) -> None:
    """Run all scenarios, one after the other. Each has attempts of its own."""
    for scenario in SCENARIOS:
        with calling(table, LINK_TIMEOUT="0.3") as caller:
            scenario(caller, table)
        table.on_request = lambda *_: None


def charger_answers(caller: Caller, _table: TableServer) -> None:
    for status in ("Accepted", "Rejected", "Unavailable"):
        with server(responds_with(body=status_body(status=status))) as ocpp:
            assert caller.post(request(ocpp.port)).status == 200
    with server(responds_with(body=status_body(status="Available"))) as ocpp:
        assert caller.post(request(ocpp.port, tokenId=None)).outcome == "status"
    with server(hangs) as ocpp:
        assert caller.post(request(ocpp.port)).outcome == "unknown"
    with server(sends_problem(404)) as ocpp:
        assert caller.post(request(ocpp.port)).problem == "charger-unknown"


def repeats(caller: Caller, _table: TableServer) -> None:
    with server(responds_with()) as ocpp:
        members = request(ocpp.port)
        assert caller.post(members).status == 200
        assert "Idempotent-Replayed" in caller.post(members).headers
        assert caller.post({**members, "chargerId": "CP-2"}).problem == "id-reused"
        zero = request(ocpp.port, id=ZERO)
        assert caller.post(zero).status == 200
        assert caller.post({**zero, "chargerId": "CP-2"}).problem == "id-reused"


def attempt_in_progress(caller: Caller, _table: TableServer) -> None:
    reached, release = threading.Event(), threading.Event()

    def respond_later(peer: Any) -> None:
        peer.read()
        reached.set()
        release.wait(10)
        responds_with()(peer)

    caller.service = replace(caller.service, link_timeout=10)
    with server(respond_later) as ocpp:
        members = request(ocpp.port)
        first = threading.Thread(target=caller.post, args=(members,))
        first.start()
        assert reached.wait(10)
        assert caller.post(members).outcome == "pending"
        release.set()
        ocpp.close()
        first.join()


def repeat_of_unknown(caller: Caller, _table: TableServer) -> None:
    with server(hangs) as ocpp:
        members = request(ocpp.port)
        assert caller.post(members).outcome == "unknown"
        assert caller.at(later=7200).post(members).outcome == "unknown"


def rejected_requests(caller: Caller, table: TableServer) -> None:
    assert caller.post({"id": "not a GUID"}).status == 400
    assert caller.post(request(80, serverIpAddress="169.254.169.254")).status == 403
    with calling(table, PAUSED="true") as paused:
        assert paused.post(request(80)).problem == "starts-paused"


def unreachable_server(caller: Caller, _table: TableServer) -> None:
    caller.service = replace(caller.service, link_timeout=3.0)
    with server(responds_with()) as ocpp:
        members = request(ocpp.port)
    for _ in range(3):
        assert caller.post(members).problem == "server-unreachable"
    assert caller.post(members).problem == "circuit-open"


def failing_table(caller: Caller, table: TableServer) -> None:
    with server(responds_with()) as ocpp:
        table.on_request = lambda *_: DENIED
        assert caller.post(request(ocpp.port)).problem == "journal-unavailable"
        table.on_request = lambda *_: DENIED if ocpp.starts else None
        assert caller.post(request(ocpp.port)).outcome == "unknown"


def crash(caller: Caller, _table: TableServer) -> None:
    broken = replace(caller.service, link_timeout="no number")  # type: ignore[arg-type]
    event = {
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "requestContext": {"http": {"method": "POST"}},
        "body": "id=3f2504e0-4f89-11d3-9a0c-0305e82c33ff&chargerId=CP-1&tokenId=04A2B3C4D5E6F7"
        "&serverIpAddress=127.0.0.1&serverRestApiPort=80",
    }
    assert charger_connect.handler.respond(event, Context(29.0), broken)["statusCode"] == 500


def crashes_of_other_functions(_caller: Caller, _table: TableServer) -> None:
    for module, name in (
        (attempts.handler, "AttemptsFunction"),
        (callback.handler, "CallbackFunction"),
        (authorizer.handler, "AuthorizerFunction"),
    ):
        module.respond({}, Context(29.0, function_name=name), cast("Any", None))


def a_sweep(_caller: Caller, table: TableServer) -> None:
    environment = {**table.environment(), "JOURNAL_SECRET": "a secret of the tests"}
    with closing(resolve.service.Service.of(environment)) as service:
        resolve.handler.respond({"sweep": True}, Context(50.0, function_name="ResolveFunction"), service)


SCENARIOS: tuple[Callable[[Caller, TableServer], None], ...] = (
    charger_answers,
    repeats,
    attempt_in_progress,
    repeat_of_unknown,
    rejected_requests,
    unreachable_server,
    failing_table,
    crash,
    crashes_of_other_functions,
    a_sweep,
)

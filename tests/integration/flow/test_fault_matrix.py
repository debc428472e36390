"""The fault matrix over real sockets and a real table: for each fault the response, the attempt's state and the retry."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from charger_link.dialects import native
from common.journal.attempt import timestamp
from local.table import BROKEN, REFUSED, THROTTLED, Fault
from tests.integration.calling import LOOPBACK, Caller, CallerResponse, calling, request
from tests.integration.flow import faults
from tests.integration.flow.faults import LINK, TABLE, Retry, Row, Sweep
from tests.integration.misbehaving import (
    Misbehaving,
    Peer,
    connection_body,
    responds_with,
    response,
    sends_problem,
    status_body,
)
from tests.integration.sweeping import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

NAME = "ocpp.test"


class CertificateAuthority:
    """A certificate authority, and the contexts of servers with valid and invalid certificates."""

    def __init__(self) -> None:
        self._good, self._other = trustme.CA(), trustme.CA()
        self.pem = self._good.cert_pem.bytes().decode()

    def context(self, kind: str = "good") -> ssl.SSLContext:
        authority = self._other if kind == "another authority" else self._good
        name = "elsewhere.test" if kind == "another name" else NAME
        now = datetime.now(UTC)
        until = now + timedelta(days=-1 if kind == "expired" else 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_before=now - timedelta(days=2), not_after=until).configure_cert(
            context
        )
        return context


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


class FaultCase:
    """One fault between a caller and a server: it begins before the first call and ends before the second."""

    def __init__(
        self, row: Row, table: TableServer, authority: CertificateAuthority, repeatable: bool
    ) -> None:
        self.server = Misbehaving(responds_with())
        self.entry = {**LOOPBACK}
        self._row, self._table, self._authority = row, table, authority
        self.repeatable = ["native"] if repeatable else []
        self._fillers: list[socket.socket] = []
        if isinstance(row.fault, str):
            self._set_up(*row.fault.partition(": ")[::2])
        else:
            self.server.set_scripts(row.fault)

    def _set_up(self, kind: str, detail: str) -> None:
        match kind:
            case "refused":
                self.server.close()
            case "full backlog":
                self.server.close()
                self.server = Misbehaving(responds_with(), accepting=False)
                self._fill()
            case "tls":
                self.entry |= {"scheme": "https", "serverName": NAME, "ca": self._authority.pem}
                if detail == "plain http":
                    self.server.set_scripts(_send_plain_http)
                elif detail == "silent":
                    self.server.set_scripts(lambda peer: peer.hang())
                else:
                    self.server.tls = self._authority.context(detail)
            case "plain":
                self.server.tls = self._authority.context()
            case "kept alive, closed":
                self.server.set_scripts(_keep_alive_and_close, responds_with())
                with self.caller() as caller:
                    assert caller.post(request(self.server.port)).status == 200
            case _:
                raise AssertionError(kind)

    def _fill(self) -> None:
        """Fill the listener's queue, so that the next SYN is never answered."""
        for _ in range(8):
            filler = socket.socket()
            filler.settimeout(0.1)
            self._fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.server.port))
            except TimeoutError:
                return
        pytest.fail("the backlog does not fill up")

    def remove_fault(self) -> None:
        if self._row.fault == "refused":
            self.server = Misbehaving(responds_with(), port=self.server.port)
        for filler in self._fillers:
            filler.close()
        if self._row.fault == "full backlog":
            self.server.accept()
        self.server.tls = self._authority.context() if self.entry["scheme"] == "https" else None
        self.server.set_scripts(responds_with())

    @contextmanager
    def caller(self, later: float = 0.0, link_timeout: float = 5.0) -> Iterator[Caller]:
        """Return a caller of a new process, which has no open circuits and no idle connections."""
        with calling(self._table, self.entry, LINK_TIMEOUT=str(link_timeout)) as caller:
            yield caller.at(later, self.repeatable)

    def sweep(self, members: dict[str, Any], *, shown: bool) -> str | None:
        """Sweep a while later, and return the attempt's state then. ``shown``: the server's records show its charge."""
        record = responds_with(200, connection_body(members["id"]))
        self.server.set_scripts(record if shown else sends_problem(404, kind="connection-unknown"))
        before = len(self.server.starts)
        sweep(self._table, self.entry, later=7200 if shown else 300)
        assert len(self.server.starts) == before, "a sweep starts nothing"
        self.server.set_scripts(responds_with())
        with self.caller() as caller:
            return state(caller, members)

    def close(self) -> None:
        for filler in self._fillers:
            filler.close()
        self.server.close()


def _send_plain_http(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def _keep_alive_and_close(peer: Peer) -> None:
    peer.read()
    peer.send(response(200, status_body(), "Content-Type: application/json", "Connection: keep-alive"))


def state(caller: Caller, members: dict[str, Any]) -> str | None:
    return caller.get(members["id"]).body.get("state")


def check(reply: CallerResponse, row: Row) -> None:
    assert (reply.status, reply.problem, reply.outcome or "") == (
        row.effect.status,
        row.effect.problem,
        row.effect.outcome,
    )
    assert ("Retry-After" in reply.headers) is (reply.status == 503), (
        "only a response for a request that sent nothing may have Retry-After"
    )
    assert "04A2B3C4D5E6" not in str(reply.body)
    if row.effect.state and reply.problem and row.effect.problem != "journal-unavailable":
        assert reply.body["instance"].endswith(attempt_id(reply))


def attempt_id(reply: CallerResponse) -> str:
    return str(reply.body["instance"]).rpartition("/")[2]


def check_retry(retry: Retry, members: dict[str, Any], case: FaultCase) -> None:
    """Send the same id again, after the server and the table have recovered."""

    def repeat(later: float = 0.0) -> tuple[int, str | None, bool, int]:
        before = len(case.server.starts)
        with case.caller(later) as caller:
            reply = caller.post(members)
        return (
            reply.status,
            reply.outcome,
            "Idempotent-Replayed" in reply.headers,
            len(case.server.starts) - before,
        )

    queried, not_called, in_progress = (
        (200, "accepted", False, 1),
        (504, "unknown", False, 0),
        (409, "pending", False, 0),
    )
    match retry:
        case Retry.STARTS | Retry.QUERIES | Retry.FORGOTTEN:
            assert repeat() == queried
        case Retry.NEVER:
            assert repeat() == not_called
            assert repeat(60) == not_called
        case Retry.REPLAYS:
            assert repeat()[:3] in ((200, "accepted", True), (200, "offline", True))
            assert repeat(60)[3] == 0
        case Retry.WAITS_THEN_QUERIES:
            assert repeat() == in_progress
            assert repeat(60) == queried
        case Retry.WAITS_THEN_NEVER:
            assert repeat() == in_progress
            assert repeat(60) == not_called


def check_sweep(row: Row, members: dict[str, Any], case: FaultCase) -> None:
    """Sweep instead of a repeat, after the server and the table have recovered."""
    if row.sweep is Sweep.LEAVES:
        assert case.sweep(members, shown=False) == row.effect.state
        return
    for _ in range(2):  # that nothing was found says nothing, however often
        assert case.sweep(members, shown=False) == "unknown"
    if row.sweep is Sweep.FINDS:
        assert case.sweep(members, shown=True) == "completed"
        with case.caller() as caller:
            assert caller.get(members["id"]).body["transaction"]["id"] == "7"
        check_retry(Retry.REPLAYS, members, case)


@pytest.mark.parametrize("repeatable", [True, False], ids=["repeatable", "not repeatable"])
@pytest.mark.parametrize("row", LINK, ids=lambda row: row.name)
def test_faults_of_the_link(
    row: Row,
    repeatable: bool,
    table: TableServer,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "DIALECT", native.DIALECT._replace(repeatable=repeatable))
    with closing(FaultCase(row, table, authority, repeatable)) as case:
        members = request(case.server.port)
        # Short only if the case ends by a timeout: otherwise a slow machine would time out too.
        times_out = row.effect in (faults.UNKNOWN, faults.UNREACHABLE)
        with case.caller(link_timeout=0.3 if times_out else 5.0) as caller:
            before = len(case.server.starts)
            check(caller.post(members), row)
            assert state(caller, members) == row.effect.state
        if row.effect is faults.UNKNOWN:
            case.server.catch_up()  # the caller does not wait until the server has read
        sent = len(case.server.starts) - before
        assert sent <= (3 if repeatable else 1)
        if row.effect is faults.UNREACHABLE:
            assert sent == 0
        case.remove_fault()
        if row.sweep is Sweep.LEAVES:
            check_sweep(row, members, case)
        check_retry(row.retry if repeatable else row.retry_once, members, case)
        if row.retry_once is Retry.NEVER and not repeatable:  # the repeat changed nothing
            check_sweep(row, members, case)


TABLE_FAULTS = {
    "throttled": THROTTLED,
    "refused": REFUSED,
    "broken": BROKEN,
    "slow": Fault(delay=60, apply=False, drop=True),
    "slow, written": Fault(delay_response=60),
}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_faults_of_the_table(row: Row, table: TableServer, authority: CertificateAuthority) -> None:
    with table_case(row, table, authority) as (case, members):
        if row.sweep is Sweep.LEAVES:
            check_sweep(row, members, case)
        check_retry(row.retry_once, members, case)
        if row.retry_once is not row.retry:  # the first repeat changed nothing
            case.repeatable = ["native"]
            check_retry(row.retry, members, case)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.sweep is not Sweep.LEAVES], ids=lambda row: row.name
)
def test_sweeps_after_faults_of_the_table(
    row: Row, table: TableServer, authority: CertificateAuthority
) -> None:
    with table_case(row, table, authority) as (case, members):
        check_sweep(row, members, case)


@contextmanager
def table_case(
    row: Row, table: TableServer, authority: CertificateAuthority
) -> Iterator[tuple[FaultCase, dict[str, Any]]]:
    """Send a request during the fault, and check its response. Return the case after the fault, and the request."""
    healthy = row._replace(fault=responds_with())
    with closing(FaultCase(healthy, table, authority, repeatable=False)) as case:
        members = request(case.server.port)
        fault = table_fault(row, table, case.server)
        table.on_request = fault
        with case.caller() as caller:
            # Short only if the case ends by a timeout: otherwise a slow machine would time out too.
            left = 29.0 if row.effect is faults.ACCEPTED else 3.0
            with shortened_timeouts(row):
                check(caller.post(members, left=left), row)
            table.on_request = end_fault(fault, timestamp(time.time()))
            until = time.monotonic() + left
            while state(caller, members) != row.effect.state and time.monotonic() < until:
                time.sleep(0.05)  # the caller does not wait for the write of a busy table
            assert state(caller, members) == row.effect.state
        sent = len(case.server.starts)
        assert sent == (0 if row.effect.problem == "journal-unavailable" else 1)
        yield case, members


@contextmanager
def shortened_timeouts(row: Row) -> Iterator[None]:
    """Shorten the reserve for settling and the timeouts of a claim and a first try. Their usual values are seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charger_connect.flow._SETTLE_RESERVE", 0.7)
        patch.setattr("common.aws.client._FIRST_TIMEOUT", 0.15)
        if row.effect.problem == "journal-unavailable":
            patch.setattr("charger_connect.flow._CLAIM_TIMEOUT", 0.3)
        yield


def end_fault(fault: Any, ended_at: str) -> Any:
    """Return the hook after the end of the fault, which still applies to writes that were sent before `ended_at`."""

    def on_request(operation: str, body: dict[str, Any]) -> Fault | None:
        written = body.get("ExpressionAttributeValues", {}).get(":updatedAt", {"S": ended_at})["S"]
        late: Fault | None = fault(operation, body) if written < ended_at else None
        return late

    return on_request


def table_fault(row: Row, table: TableServer, server: Misbehaving) -> Any:
    assert isinstance(row.fault, str)
    kind, _, where = row.fault.partition(" at ")
    if kind == "deleted":
        return lambda *_: table.clear() if server.starts else None
    fault, writes = TABLE_FAULTS[kind], []

    def on_request(operation: str, body: dict[str, Any]) -> Fault | None:
        settles = "ADD tries" not in body["UpdateExpression"]  # only a claim counts a try
        writes.append(settles)
        if where == "both once":
            return fault if writes.count(settles) == 1 else None
        return fault if settles is (where == "settle") else None

    return on_request


def test_a_redirect_to_a_metadata_address_is_not_followed(table: TableServer, server: Misbehaving) -> None:
    """No other redirect is followed either: a second server, which is allowed, receives nothing."""
    with closing(Misbehaving(responds_with())) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/latest/meta-data/"
        for status in (301, 302, 303, 307, 308):
            server.set_scripts(responds_with(status, b"", "text/html", location))
            with calling(table) as caller:
                assert caller.post(request(server.port)).outcome == "unknown"
        assert elsewhere.connections == 0


def test_after_failures_of_the_server_its_circuit_is_open_and_nothing_is_claimed(
    table: TableServer,
) -> None:
    with closing(Misbehaving(responds_with())) as server:
        server.close()
        with calling(table) as caller:
            members = request(server.port)
            for _ in range(3):
                assert caller.post(members).problem == "server-unreachable"
            before = caller.get(members["id"]).body
            reply = caller.post(members)
            assert (reply.status, reply.problem, reply.outcome) == (503, "circuit-open", "not-started")
            assert caller.get(members["id"]).body == before


def test_the_document_shows_this_matrix() -> None:
    assert faults.read_document() == faults.render(), (
        "generate it with: .venv/bin/python -m tests.integration.flow.faults"
    )

"""The fault matrix: the result of each fault between the service, an OCPP server and the table.

`test_fault_matrix.py` tests every row, and `docs/reliability.md` shows them. This command generates that part:

    .venv/bin/python -m tests.integration.flow.faults
"""

from __future__ import annotations

import socket
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from scripts import sections
from tests.integration.misbehaving import (
    Peer,
    Script,
    drips,
    hangs,
    responds_with,
    response,
    sends,
    sends_problem,
    status_body,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "reliability.md"
PART = "fault matrix"


class Retry(Enum):
    """The result of a repeated request. The document shows the values."""

    STARTS = "starts"
    QUERIES = "queries the server"
    NEVER = "receives 504 until the charge is found"
    REPLAYS = "receives the stored answer"
    WAITS_THEN_QUERIES = "receives 409, after the lease queries the server"
    WAITS_THEN_NEVER = "receives 409, after the lease 504 until the charge is found"
    FORGOTTEN = "begins a new attempt, because the guarantee ends with the item"


class Sweep(Enum):
    """What sweeps make of the attempt, where the server's records can be searched."""

    LEAVES = "leaves"  # nothing is left to find
    FINDS = "finds"  # the charge, if the server's records show one
    EXPIRES = "expires"  # nothing was sent, so that there is nothing to find


class Effect(NamedTuple):
    """Status, problem type (None: `OcppStatusResponse`), the outcome that the caller receives, the attempt's state."""

    status: int
    problem: str | None
    outcome: str
    state: str | None


class Row(NamedTuple):
    """The tests inject ``fault``. ``retry`` is the result of a repeat with a repeatable dialect, ``retry_once`` with any other.

    ``sweep`` is what sweeps do if nobody repeats the request.
    """

    name: str
    fault: Script | str
    effect: Effect
    retry: Retry
    retry_once: Retry
    sweep: Sweep = Sweep.LEAVES


ACCEPTED = Effect(200, None, "accepted", "completed")
OFFLINE = Effect(200, None, "offline", "failed")
UNREACHABLE = Effect(502, "server-unreachable", "not-started", "failed")
REFUSED = Effect(502, "server-refused", "not-started", "failed")
FAILED = Effect(502, "server-error", "not-started", "failed")
BUSY = Effect(503, "server-busy", "not-started", "failed")
UNKNOWN_CHARGER = Effect(404, "charger-unknown", "", "failed")
UNKNOWN = Effect(504, "outcome-unknown", "unknown", "unknown")


def _unknown(name: str, fault: Script | str) -> Row:
    return Row(name, fault, UNKNOWN, Retry.QUERIES, Retry.NEVER, Sweep.FINDS)


def _not_started(name: str, fault: Script | str, effect: Effect) -> Row:
    return Row(name, fault, effect, Retry.STARTS, Retry.STARTS)


def _answered(name: str, fault: Script | str) -> Row:
    return Row(name, fault, ACCEPTED, Retry.REPLAYS, Retry.REPLAYS)


def _resets(data: bytes = b"", *, unread: bool = False) -> Script:
    def script(peer: Peer) -> None:
        if unread:
            # Wait until data has arrived: a reset before that counts as a connection that was never made.
            peer.socket.recv(1, socket.MSG_PEEK)
        else:
            peer.read()
        if data:
            peer.send(data)
        peer.reset()

    return script


def _then_silent(data: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.hang()

    return script


def _then_drips(head: bytes, rest: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(head)
        peer.drip(rest, 0.05)

    return script


def _endless(head: bytes, piece: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(head)
        while True:
            peer.send(piece)

    return script


JSON = "Content-Type: application/json"
OK = response(200, status_body(), JSON)
HEAD = OK.removesuffix(status_body())
PAGE = b"<html><body>Bad gateway</body></html>"


def _redirect(status: int, location: str) -> Script:
    return sends(response(status, b"", f"Location: {location}"))


LINK = [
    # the connection
    _not_started("Connection refused", "refused", UNREACHABLE),
    _not_started("SYN never answered", "full backlog", UNREACHABLE),
    _not_started("TLS: certificate of another authority", "tls: another authority", UNREACHABLE),
    _not_started("TLS: certificate for another name", "tls: another name", UNREACHABLE),
    _not_started("TLS: expired certificate", "tls: expired", UNREACHABLE),
    _not_started("TLS: the server speaks plain HTTP", "tls: plain http", UNREACHABLE),
    _not_started("TLS: handshake never answered", "tls: silent", UNREACHABLE),
    _unknown("Plain HTTP: the server speaks TLS", "plain: tls"),
    _answered("Keep-alive connection closed between two calls", "kept alive, closed"),
    # no complete response
    _unknown("Accepted and silent", hangs),
    _unknown("Accepted and silent, the request unread", lambda peer: peer.hang()),
    _unknown("Reset before the request was read", _resets(unread=True)),
    _unknown("Reset before the headers", _resets()),
    _unknown("Closed before the headers", sends(b"")),
    _unknown("Reset in the headers", _resets(HEAD[:30])),
    _unknown("Closed in the headers", sends(HEAD[:30])),
    _unknown("Reset after the headers", _resets(HEAD)),
    _unknown("Half a body, then closed", sends(OK[:-20])),
    _unknown("Half a body, then silent", _then_silent(OK[:-20])),
    _unknown("One byte a second in the status line", drips(OK)),
    _unknown("One byte a second in the headers", _then_drips(OK[:20], OK[20:])),
    _unknown("One byte a second in the body", _then_drips(HEAD, status_body())),
    # malformed HTTP
    _unknown("Not HTTP", sends(b"SSH-2.0-OpenSSH_9.2\r\n")),
    _unknown("Headers without end", _endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n")),
    _unknown("A header line too long", _endless(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"x" * 10_000)),
    _unknown("Body too long, announced", responds_with(body=status_body() + b" " * 70_000)),
    _unknown(
        "Body too long, without an end",
        _endless(b"HTTP/1.1 200 OK\r\n" + JSON.encode() + b"\r\n\r\n", b" " * 4096),
    ),
    _unknown(
        "Content-Length too large, then closed",
        sends(response(200, status_body(), JSON, length=len(status_body()) + 9)),
    ),
    _unknown(
        "Content-Length too small", sends(response(200, status_body(), JSON, length=len(status_body()) - 9))
    ),
    _answered(
        "Content-Length no number, then closed", sends(OK.replace(b"Content-Length: ", b"Content-Length: x"))
    ),
    _unknown(
        "Chunks that are none",
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    ),
    _unknown(
        "Chunks that break off", sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}")
    ),
    _unknown(
        "Compressed without being asked",
        responds_with(200, b"\x1f\x8b\x08" + status_body(), "application/json", "Content-Encoding: gzip"),
    ),
    # a response that does not match the request
    _unknown("Not JSON", responds_with(body=b"Accepted")),
    _unknown("Wrong content type: a page", responds_with(200, PAGE, "text/html")),
    _answered(
        "Wrong content type: the right body as text/plain", responds_with(200, status_body(), "text/plain")
    ),
    _unknown("JSON, but no object", responds_with(body=b'["Accepted"]')),
    _unknown("Nested too deeply", responds_with(body=b"[" * 60_000)),
    _unknown("Wrong types", responds_with(body=status_body(connectorId="1"))),
    _unknown("Null fields", responds_with(body=status_body(status="Accepted", connectorId=None))),
    _unknown("A status that OCPP does not have", responds_with(body=status_body(status="Queued"))),
    _unknown("Another charger's answer", responds_with(body=status_body("CP-2"))),
    _unknown("Redirect", _redirect(307, "http://127.0.0.1:9/")),
    _unknown("Redirect to a metadata address", _redirect(302, "http://169.254.169.254/latest/meta-data/")),
    _answered("100 Continue, then the answer", sends(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)),
    _answered(
        "103 Early Hints, then the answer", sends(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
    ),
    _unknown("100 Continue, then silent", _then_silent(b"HTTP/1.1 100 Continue\r\n\r\n")),
    _unknown("100 Continue without end", _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    _unknown("101 Switching Protocols", sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")),
    _unknown("204 No Content", sends(b"HTTP/1.1 204 No Content\r\n\r\n")),
    _unknown("202 Accepted, that is queued", responds_with(202)),
    # errors of the server itself: problem documents
    _not_started("400, 405, 409, 413, 422 of the server", sends_problem(409), FAILED),
    _not_started("401 of the server", sends_problem(401), REFUSED),
    _not_started("403 of the server", sends_problem(403), REFUSED),
    _not_started("404 of the server", sends_problem(404), UNKNOWN_CHARGER),
    _not_started(
        "404 of the server, which has no such path", sends_problem(404, kind="no-such-resource"), FAILED
    ),
    _not_started("429 of the server", sends_problem(429, "Retry-After: 7"), BUSY),
    _not_started("503 of the server", sends_problem(503, "Retry-After: 7"), BUSY),
    _unknown("500 of the server", sends_problem(500)),
    _unknown("504 of the server", sends_problem(504)),
    _not_started(
        "200 `Unavailable`",
        responds_with(body=status_body(status="Unavailable", info="not-connected")),
        OFFLINE,
    ),
    # errors of a proxy in between: pages
    _unknown("404 of a proxy", responds_with(404, PAGE, "text/html")),
    _unknown("429 of a proxy", responds_with(429, PAGE, "text/html", "Retry-After: 7")),
    _unknown("502 of a proxy", responds_with(502, PAGE, "text/html")),
    _unknown("503 of a proxy", responds_with(503, PAGE, "text/html", "Retry-After: 7")),
]

NOT_RECORDED = Effect(503, "journal-unavailable", "not-started", None)
NOT_SETTLED = Effect(504, "outcome-unknown", "unknown", "pending")
LOST_CLAIM = NOT_RECORDED._replace(state="pending")

FAULTS = {
    "throttled": "Throttled",
    "refused": "Connection closed",
    "broken": "Failing (500)",
    "slow": "No answer in time, not written",
    "slow, written": "No answer in time, but written",
}


WRITTEN = ACCEPTED._replace(status=504, problem="outcome-unknown", outcome="unknown")
_STARTS, _REPLAYS = (Retry.STARTS, Retry.STARTS), (Retry.REPLAYS, Retry.REPLAYS)
_WAITS = (Retry.WAITS_THEN_QUERIES, Retry.WAITS_THEN_NEVER)


def _table_rows() -> list[Row]:
    rows = []
    for fault, name in FAULTS.items():
        claim, settle = (LOST_CLAIM, WRITTEN) if fault == "slow, written" else (NOT_RECORDED, NOT_SETTLED)
        rows += [
            Row(
                f"{name}, at claim",
                f"{fault} at claim",
                claim,
                *((*_WAITS, Sweep.EXPIRES) if claim.state else _STARTS),
            ),
            Row(
                f"{name}, at settle",
                f"{fault} at settle",
                settle,
                *(_REPLAYS if settle is WRITTEN else (*_WAITS, Sweep.FINDS)),
            ),
            Row(f"{name}, once at each", f"{fault} at both once", ACCEPTED, *_REPLAYS),
        ]
    deleted = NOT_SETTLED._replace(state=None)
    return [*rows, Row("The item deleted in flight", "deleted", deleted, Retry.FORGOTTEN, Retry.FORGOTTEN)]


TABLE = _table_rows()


def render() -> str:
    """Return both lists as Markdown: each result, followed by the faults that lead to it."""
    parts = {"the OCPP server": LINK, "the table": TABLE}
    return "\n\n".join(
        f"**Between the service and {peer}**\n\n{_grouped(rows)}" for peer, rows in parts.items()
    )


def _grouped(rows: list[Row]) -> str:
    faults: dict[str, list[str]] = {}
    for row in rows:
        faults.setdefault(_result(row), []).append(row.name)
    return "\n\n".join(
        f"{result}\n\n" + "\n".join(f"- {name}" for name in names) for result, names in faults.items()
    )


def _result(row: Row) -> str:
    effect = row.effect
    response = f"{effect.status} `{effect.problem}`" if effect.problem else str(effect.status)
    outcome = f"`outcome` `{effect.outcome}`" if effect.outcome else "no `outcome`"
    attempt = f"attempt `{effect.state}`" if effect.state else "no attempt"
    retry = f"a repeat {row.retry.value}"
    if row.retry_once is not row.retry:
        retry += f", with other dialects {row.retry_once.value}"
    return f"{response}, {outcome}, {attempt}; {retry}; after the sweep {_after_sweep(row)}:"


def _after_sweep(row: Row) -> str:
    match row.sweep:
        case Sweep.FINDS:
            return "`completed` if the server's records show the charge, else `unknown`"
        case Sweep.EXPIRES:
            return "`unknown`"
        case Sweep.LEAVES:
            return f"`{row.effect.state}`" if row.effect.state else "no attempt"


def read_document() -> str:
    """Return the part of the document that `render` generates."""
    return sections.read(DOCUMENT, PART)


if __name__ == "__main__":
    sections.write(DOCUMENT, PART, f"\n{render()}\n")

"""The recorded cases as whole HTTP exchanges: through the gateway, the real handler and its table; only the OCPP server
that they name does not exist, so its link answers in its place.

What holds is what was recorded, but for what the original had no rules about (it was an echo), for error bodies, which
are problem documents of ours in the recorded format, and for UTF-16, which API Gateway breaks before we see it.
"""

from __future__ import annotations

import json
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

import pytest

from charger_link import Answer as LinkAnswer
from charger_link import Outcome
from local import template
from local.gateway import serve
from local.table import start_table
from tests.contract.cases import PATH, Exchange, Request, exchanges, requests
from tests.integration.gateway.functions import real_functions
from tests.integration.gateway.raw import Answer, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charger_link import Command, Link
    from local.table import TableServer
    from tests.contract.cases import Bound
    from tests.contract.conftest import Ran

ALLOWED = [
    {"network": network, "ports": ["1-65535"], "scheme": "http"} for network in ("10.0.0.0/8", "192.0.2.0/24")
]
XML = ("application/xml", "text/xml")
MEMBERS = ["chargerId", "connectorId", "errorCode", "id", "info", "status"]
NAMESPACE = "{http://schemas.datacontract.org/2004/07/IO.Swagger.Models}"


class StandIn:
    """An OCPP server at every address, whose chargers accept every token and are available."""

    def connect(self, command: Command, _deadline: object) -> LinkAnswer:
        if command.token is None:
            return LinkAnswer(Outcome.STATUS, "Available", 1, "NoError", None)
        return LinkAnswer(Outcome.ACCEPTED, "Accepted", 1, "NoError", None)


@pytest.fixture(scope="module")
def shared_table() -> Iterator[TableServer]:
    with closing(start_table()) as table:
        yield table


@pytest.fixture(scope="module")
def url(shared_table: TableServer) -> Iterator[str]:
    link = cast("Link", StandIn())
    routes = template.read().routes
    with real_functions(shared_table, ALLOWED, link=link) as invoke, closing(serve(routes, invoke)) as server:
        yield server.url


@pytest.fixture
def empty_journal(shared_table: TableServer) -> None:
    shared_table.clear()


def of_the_endpoint() -> list[Exchange]:
    """All but those about letter case and slashes of the path: API Gateway matches it exactly."""
    return [case for case in exchanges() if case.group != "route"]


@pytest.mark.usefixtures("empty_journal")
@pytest.mark.parametrize("case", of_the_endpoint(), ids=str)
def test_an_exchange_ends_as_recorded(case: Exchange, url: str, ran: Ran) -> None:
    ran("http", case)
    answer = exchange(url, on_the_wire(case), case.method)
    assert answer.status in statuses(case)
    if answer.status == 200:
        assert answer.headers["content-type"] == f"{case.media_type}; charset=utf-8"
        if case.bound and case.klass == "must":
            assert_echoes(answer, case.media_type, case.bound)
    else:
        assert_problem(answer, case.media_type)
    assert answer.headers.get("allow", "") == case.allow


@pytest.mark.usefixtures("empty_journal")
@pytest.mark.parametrize("case", requests(), ids=str)
def test_a_body_of_a_net_client_is_answered_in_its_own_format(case: Request, url: str, ran: Ran) -> None:
    ran("http", case)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {case.content_type}\r\n"
    length = f"Content-Length: {len(case.body)}\r\n\r\n"
    answer = exchange(url, (head + length).encode() + case.body)
    media_type = case.content_type.partition(";")[0]
    media_type = "application/json" if "form" in media_type else media_type
    if arrives(case) and breaks_no_rule(case.sent):
        assert (answer.status, answer.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
        assert_echoes(answer, media_type, case.sent)
    else:
        assert answer.status == 400
        assert_problem(answer, media_type)


def on_the_wire(case: Exchange) -> bytes:
    lines = [f"{case.method} {case.path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in case.headers]
    body = case.body
    if case.chunked:
        lines.append("Transfer-Encoding: chunked")
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    elif case.method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def statuses(case: Exchange) -> set[int]:
    """What may be answered: one status where the case is a must."""
    if case.klass != "must":
        return {200, 400, 415}
    return {400} if case.bound is not None and not breaks_no_rule(case.bound) else {case.status}


def arrives(case: Request) -> bool:
    """Whether the body is still itself after API Gateway has decoded it as UTF-8."""
    try:
        return bool(case.body.decode())
    except UnicodeDecodeError:
        return False


def breaks_no_rule(bound: Bound) -> bool:
    """Our rules for a connection, which the original did not have: a charger, an address, a port, a token that fits."""
    charger, token = bound["chargerId"] or "", bound["tokenId"] or ""
    return (
        bool(charger.strip())
        and charger.isprintable()
        and len(charger) <= 255
        and len(token) <= 36
        and is_address(bound["serverIpAddress"])
        and 1 <= (bound["serverRestApiPort"] or 0) <= 65_535
    )


def is_address(text: str | None) -> bool:
    try:
        return bool(ip_address(text or ""))
    except ValueError:
        return False


def assert_echoes(answer: Answer, media_type: str, bound: dict[str, Any]) -> None:
    if media_type in XML:
        root = ElementTree.fromstring(answer.body)
        assert [element.tag for element in root] == [NAMESPACE + member for member in MEMBERS]
        told = {element.tag.removeprefix(NAMESPACE): element.text for element in root}
    else:
        told = json.loads(answer.body)
        assert sorted(told) == MEMBERS
    assert (told["id"], told["chargerId"]) == (bound["id"], bound["chargerId"])
    assert told["status"] == ("Accepted" if (bound["tokenId"] or "").strip() else "Available")


def assert_problem(answer: Answer, media_type: str) -> None:
    if media_type in XML:
        assert answer.headers["content-type"] == "application/problem+xml; charset=utf-8"
        status = ElementTree.fromstring(answer.body).findtext("{urn:ietf:rfc:7807}status")
    else:
        assert answer.headers["content-type"].startswith("application/problem+json")
        status = json.loads(answer.body)["status"]
    assert int(status or 0) == answer.status

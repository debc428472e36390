"""The recorded cases as complete HTTP exchanges, through the local gateway, the real handler and the embedded table.

The OCPP servers in the cases do not exist, so a fake charger link returns the results. Responses must equal the recorded
ones, with three exceptions. The original was an echo service and did not validate values. Errors are problem
documents in the recorded format. API Gateway decodes bodies as UTF-8, which makes UTF-16 bodies invalid.
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
from tests.integration.gateway.raw import Answer as RawResponse
from tests.integration.gateway.raw import exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charger_link import Command, Link
    from local.table import TableServer
    from tests.contract.cases import Bound
    from tests.contract.conftest import RegisterCase

ALLOWED = [
    {"network": network, "ports": ["1-65535"], "scheme": "http"} for network in ("10.0.0.0/8", "192.0.2.0/24")
]
XML = ("application/xml", "text/xml")
FIELDS = ["chargerId", "connectorId", "errorCode", "id", "info", "status"]
NAMESPACE = "{http://schemas.datacontract.org/2004/07/IO.Swagger.Models}"


class FakeLink:
    """A charger link to OCPP servers at every address: chargers accept every token and are available."""

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
    link = cast("Link", FakeLink())
    routes = template.read().routes
    with real_functions(shared_table, ALLOWED, link=link) as invoke, closing(serve(routes, invoke)) as server:
        yield server.url


@pytest.fixture
def empty_journal(shared_table: TableServer) -> None:
    shared_table.clear()


def exchanges_with_exact_path() -> list[Exchange]:
    """Return the exchanges without those about letter case and slashes of the path: API Gateway matches it exactly."""
    return [case for case in exchanges() if case.group != "route"]


@pytest.mark.usefixtures("empty_journal")
@pytest.mark.parametrize("case", exchanges_with_exact_path(), ids=str)
def test_the_response_is_the_recorded_one(case: Exchange, url: str, register_case: RegisterCase) -> None:
    register_case("http", case)
    response = exchange(url, on_the_wire(case), case.method)
    assert response.status in statuses(case)
    if response.status == 200:
        assert response.headers["content-type"] == f"{case.media_type}; charset=utf-8"
        if case.bound and case.klass == "must":
            assert_echoes(response, case.media_type, case.bound)
    else:
        assert_problem(response, case.media_type)
    assert response.headers.get("allow", "") == case.allow


@pytest.mark.usefixtures("empty_journal")
@pytest.mark.parametrize("case", requests(), ids=str)
def test_a_net_client_receives_the_format_of_its_request(
    case: Request, url: str, register_case: RegisterCase
) -> None:
    register_case("http", case)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {case.content_type}\r\n"
    length = f"Content-Length: {len(case.body)}\r\n\r\n"
    response = exchange(url, (head + length).encode() + case.body)
    media_type = case.content_type.partition(";")[0]
    media_type = "application/json" if "form" in media_type else media_type
    if is_utf_8(case) and is_valid(case.sent):
        assert (response.status, response.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
        assert_echoes(response, media_type, case.sent)
    else:
        assert response.status == 400
        assert_problem(response, media_type)


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
    """Return the allowed status codes: a single one if the case is a `must`."""
    if case.klass != "must":
        return {200, 400, 415}
    return {400} if case.bound is not None and not is_valid(case.bound) else {case.status}


def is_utf_8(case: Request) -> bool:
    """Return whether the body is unchanged after API Gateway has decoded it as UTF-8."""
    try:
        return bool(case.body.decode())
    except UnicodeDecodeError:
        return False


def is_valid(bound: Bound) -> bool:
    """Return whether the values pass this service's validation, which the original did not have."""
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


def assert_echoes(response: RawResponse, media_type: str, bound: dict[str, Any]) -> None:
    if media_type in XML:
        root = ElementTree.fromstring(response.body)
        assert [element.tag for element in root] == [NAMESPACE + field for field in FIELDS]
        values = {element.tag.removeprefix(NAMESPACE): element.text for element in root}
    else:
        values = json.loads(response.body)
        assert sorted(values) == FIELDS
    assert (values["id"], values["chargerId"]) == (bound["id"], bound["chargerId"])
    assert values["status"] == ("Accepted" if (bound["tokenId"] or "").strip() else "Available")


def assert_problem(response: RawResponse, media_type: str) -> None:
    if media_type in XML:
        assert response.headers["content-type"] == "application/problem+xml; charset=utf-8"
        status = ElementTree.fromstring(response.body).findtext("{urn:ietf:rfc:7807}status")
    else:
        assert response.headers["content-type"].startswith("application/problem+json")
        status = json.loads(response.body)["status"]
    assert int(status or 0) == response.status

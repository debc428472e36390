"""The local stack rejects the requests that a web page of another site can cause, and serves every other client."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from websockets import Origin, Subprotocol
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from local import template
from local.chargers import Behaviour, charging
from local.csms import Options, serving
from local.gateway import serve
from local.running import in_thread
from local.same_origin import refusal
from local.simulators import OcppCore, serving_simulator
from local.table import start_table
from tests.integration.csms.client import Rest
from tests.integration.gateway.functions import real_functions
from tests.integration.gateway.raw import exchange
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chargers import ChargePoint
    from local.csms import Csms
    from local.simulators import Simulator
    from local.table import TableServer
    from tests.integration.gateway.conftest import Gateway, Serving
    from tests.integration.gateway.raw import Answer

PATH = "/api/v1/ocpp/charger-connect"
FORM = "Content-Type: application/x-www-form-urlencoded"
SCAN = "X-Amz-Target: DynamoDB_20120810.Scan"
CALLBACK = "POST /things/1/parts"  # a route without an authorizer

FOREIGN = {
    "a form of another site": ("Origin: http://evil.example", "Sec-Fetch-Site: cross-site"),
    "a form of an older browser": ("Origin: http://evil.example",),
    "a sandboxed frame or a local file": ("Origin: null",),
    "another server of this machine": ("Origin: http://127.0.0.1:3000", "Sec-Fetch-Site: same-site"),
    "the same server under another name": ("Origin: http://localhost:{port}", "Sec-Fetch-Site: cross-site"),
    "the same server over TLS": ("Origin: https://127.0.0.1:{port}",),
    "an image or a script": ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"),
    "a link of another site": (
        *("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
        "Sec-Fetch-Dest: document",
    ),
    "two origins, the first the own": ("Origin: http://127.0.0.1:{port}", "Origin: http://evil.example"),
    "a site that no browser names": ("Sec-Fetch-Site: elsewhere",),
}
OWN = {
    "no header of a browser": (),
    "the console": ("Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: same-origin"),
    "a typed address": ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"),
}
REBOUND = (
    *("evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1"),
    *("0.0.0.0", "[::2]", "evil.example@127.0.0.1", "127.0.0.1:80:80", "", "\xe9"),
)
LOOPBACK = ("127.0.0.1:{port}", "127.0.0.1", "127.9.8.7:1", "localhost", "LOCALHOST:{port}", "[::1]:{port}")


def send(url: str, line: str, *fields: str, host: str | None = "127.0.0.1:{port}", body: str = "") -> Answer:
    """Send one request, with `{port}` in its headers replaced by the server's; `host` None sends no Host header."""
    port = str(urlsplit(url).port)
    lines = [f"{line} HTTP/1.1", *([] if host is None else [f"Host: {host}"]), *fields]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).replace("{port}", port)
    return exchange(url, head.encode("latin-1") + body.encode())


@pytest.fixture(scope="module")
def csms() -> Iterator[Csms]:
    with in_thread(serving(Options(known=("CP-9",), allowed_hosts=("172.17.0.1",)))) as csms:
        yield csms


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with in_thread(serving_simulator(OcppCore(), allowed_hosts=("172.17.0.1",))) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def bridged_table() -> Iterator[TableServer]:
    with closing(start_table(allowed_hosts=("172.17.0.1",))) as table:
        yield table


@pytest.fixture(params=["table", "OCPP server", "simulator"])
def listener(
    request: pytest.FixtureRequest, bridged_table: TableServer, csms: Csms, simulator: Simulator
) -> tuple[str, str, tuple[str, ...]]:
    """Return the URL of a listener other than the gateway, and the line and headers of a request that reads data there."""
    return {
        "table": (bridged_table.url, "POST /", (SCAN,)),
        "OCPP server": (csms.rest_url, "GET /api/v1/chargers/CP-9", ()),
        "simulator": (simulator.url, "GET /simulator/connected", ()),
    }[request.param]


def read_data(listener: tuple[str, str, tuple[str, ...]], *fields: str, host: str | None) -> Answer:
    url, line, more = listener
    body = json.dumps({"TableName": "attempts"}) if SCAN in more else ""
    return send(url, line, *more, *fields, host=host, body=body)


@pytest.mark.parametrize("fields", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("line", ["POST /any", "GET /any", CALLBACK, "OPTIONS /any", "GET /things/1/parts"])
def test_a_request_of_another_origin_calls_no_function(
    gateway: Gateway, line: str, fields: tuple[str, ...]
) -> None:
    answer = send(gateway.url, line, *fields)
    assert answer.status == 403
    assert "Use its console" in json.loads(answer.body)["message"]
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert gateway.called == []


@pytest.mark.parametrize("fields", OWN.values(), ids=OWN)
def test_the_console_and_clients_that_are_no_browser_are_served(
    gateway: Gateway, fields: tuple[str, ...]
) -> None:
    assert send(gateway.url, "POST /any", *fields).status == 204
    assert send(gateway.url, "GET /any", *fields).status == 204


@pytest.mark.parametrize("host", REBOUND)
def test_under_another_host_name_nothing_is_served(gateway: Gateway, host: str) -> None:
    answer = send(gateway.url, "GET /any", host=host)
    assert answer.status == 421
    assert "127.0.0.1" in json.loads(answer.body)["message"]
    assert send(gateway.url, "POST /any", "Host: evil.example").status == 421
    # A page of a rebound name is of the same origin as its requests.
    same = ("Origin: http://evil.example", "Sec-Fetch-Site: same-origin")
    assert send(gateway.url, "GET /any", *same, host="evil.example").status == 421
    assert gateway.called == []


@pytest.mark.parametrize("host", [*LOOPBACK, None])
def test_every_name_of_loopback_is_served(gateway: Gateway, host: str | None) -> None:
    assert send(gateway.url, "GET /any", host=host).status == 204


def test_an_origin_without_a_host_is_rejected(gateway: Gateway) -> None:
    assert send(gateway.url, "GET /any", "Origin: http://127.0.0.1", host=None).status == 403


def test_a_link_of_another_site_opens_only_the_pages_and_not_in_a_frame(serving: Serving) -> None:
    from local.server import Response

    pages = {path: lambda _: Response(200) for path in ("/", "/docs", "/console/events")}
    link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
    frame = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
    with serving("", pages) as gateway:
        for path in ("/", "/docs", "/docs?a=b"):
            assert send(gateway.url, f"GET {path}", *link).status == 200
            assert send(gateway.url, f"GET {path}", *frame).status == 403
            assert send(gateway.url, f"POST {path}", *link).status == 403
            assert send(gateway.url, f"GET {path}", *link, "Origin: http://evil.example").status == 403
        assert send(gateway.url, "GET /console/events", *link).status == 403


def test_only_callbacks_are_served_under_a_callback_host(serving: Serving) -> None:
    with serving(
        {"statusCode": 204}, {"/things/page/parts": lambda _: None}, ["Host.Docker.Internal"]
    ) as gateway:
        for host in ("host.docker.internal", "host.docker.internal:{port}", "127.0.0.1"):
            assert send(gateway.url, "GET /things/1/parts", host=host).status == 204
        for target in ("/any", "/things/1", "/things/page/parts"):
            assert send(gateway.url, f"GET {target}", host="host.docker.internal").status == 421
        assert send(gateway.url, "GET /things/1/parts", host="evil.example").status == 421
        foreign = send(
            gateway.url, "GET /things/1/parts", "Origin: http://evil.example", host="host.docker.internal"
        )
        assert foreign.status == 403


@pytest.mark.parametrize("fields", FOREIGN.values(), ids=FOREIGN)
def test_no_other_listener_serves_another_origin(
    listener: tuple[str, str, tuple[str, ...]], fields: tuple[str, ...]
) -> None:
    assert read_data(listener, *fields, host="127.0.0.1:{port}").status == 403


@pytest.mark.parametrize("host", REBOUND)
def test_no_other_listener_is_served_under_another_host_name(
    listener: tuple[str, str, tuple[str, ...]], host: str
) -> None:
    assert read_data(listener, host=host).status == 421


@pytest.mark.parametrize("host", [*LOOPBACK, "172.17.0.1", "172.17.0.1:{port}", None])
def test_every_other_listener_is_served_under_loopback_and_the_hosts_that_are_given(
    listener: tuple[str, str, tuple[str, ...]], host: str | None
) -> None:
    # 400: the request was read, and the table has another name.
    assert read_data(listener, host=host).status in (200, 400)


def test_a_request_of_another_origin_is_not_counted_nor_applied(bridged_table: TableServer) -> None:
    before = bridged_table.operations.total()
    applied: list[str] = []
    bridged_table.on_applied = lambda operation, _: applied.append(operation)
    item = json.dumps({"TableName": bridged_table.name, "Item": {"id": {"S": "one"}}})
    put = "X-Amz-Target: DynamoDB_20120810.PutItem"
    assert send(bridged_table.url, "POST /", put, "Origin: null", body=item).status == 403
    assert send(bridged_table.url, "POST /", put, host="evil.example", body=item).status == 421
    assert (bridged_table.operations.total() - before, applied, bridged_table.items()) == (0, [], [])


@pytest.fixture
def held(csms: Csms) -> Iterator[ChargePoint]:
    """A charge point that is connected to the OCPP server."""
    identity = f"CP-{uuid4().hex[:6]}"
    rest = Rest(csms.rest_url)
    with in_thread(charging([Behaviour(identity)], csms.ocpp_url)) as points:
        eventually(
            lambda: (
                rest.status(identity).outcome == (200, "Available") if points[identity].connected else False
            )
        )
        yield points[identity]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:{port}", "http://localhost:8000", "file://"]
)
@pytest.mark.parametrize("server", ["native", "simulator"])
def test_a_web_page_cannot_connect_as_a_charge_point(
    csms: Csms, simulator: Simulator, held: ChargePoint, server: str, origin: str
) -> None:
    base = csms.ocpp_url if server == "native" else simulator.ocpp_url
    url = f"{base}/{held.behaviour.identity}"
    given = origin.replace("{port}", str(urlsplit(url).port))
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(url, origin=Origin(given), subprotocols=[Subprotocol("ocpp1.6")], proxy=None),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert b"sends no Origin" in (refused.value.response.body or b"")
    # The real charge point was not replaced: it still accepts a start.
    assert Rest(csms.rest_url).connect(held.behaviour.identity).outcome[0] == 200
    assert len(held.starts) == 1


@pytest.mark.parametrize(("host", "status"), [("evil.example", 421), ("172.17.0.1", 101), ("localhost", 101)])
def test_a_charge_point_connects_under_an_allowed_host_name(csms: Csms, host: str, status: int) -> None:
    fields = (
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: ocpp1.6"),
    )
    url = csms.ocpp_url.replace("ws:", "http:")
    assert send(url, f"GET /ocpp/CP-{uuid4().hex[:6]}", *fields, host=host).status == status


def test_a_form_of_another_site_starts_no_charge(csms: Csms, held: ChargePoint) -> None:
    port = urlsplit(csms.rest_url).port
    entry = {"network": "127.0.0.0/8", "ports": ["1024-65535"], "scheme": "http"}
    with ExitStack() as stack:
        table = stack.enter_context(closing(start_table()))
        invoke = stack.enter_context(real_functions(table, [entry]))
        gateway = stack.enter_context(closing(serve(template.read().routes, invoke)))
        request = {"id": str(uuid4()), "chargerId": held.behaviour.identity, "tokenId": "T1"}
        form = urlencode({**request, "serverIpAddress": "127.0.0.1", "serverRestApiPort": port})
        for fields in FOREIGN.values():
            assert send(gateway.url, f"POST {PATH}", FORM, *fields, body=form).status == 403
        assert send(gateway.url, f"POST {PATH}", FORM, host="evil.example", body=form).status == 421
        assert held.starts == []
        assert table.items() == []
        assert send(gateway.url, f"POST {PATH}", FORM, body=form).status == 200
        assert len(held.starts) == 1


BRIDGE = "172.17.0.1"
BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


def test_a_browser_is_served_on_loopback_only() -> None:
    """To another address it sends no Sec-Fetch-Site over HTTP, and for an image no Origin: nothing else shows the page."""
    host = ("Host", f"{BRIDGE}:9080")
    refused = refusal([host, ("User-Agent", BROWSER)], [BRIDGE])
    assert refused is not None
    assert refused.status == 403
    assert refusal([host, ("User-Agent", "python-requests/2.32")], [BRIDGE]) is None
    assert refusal([host], [BRIDGE]) is None
    assert refusal([("Host", "127.0.0.1:9080"), ("User-Agent", BROWSER)], [BRIDGE]) is None

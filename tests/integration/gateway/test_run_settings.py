"""`make run` uses the user's settings, and prints a request to a server that LINK_SERVERS allows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from local.chargers import Behaviour
from local.example import ExampleServer, choose
from local.simulators import CitrineOS
from tests.integration.dialects.link_client import running_simulator
from tests.integration.gateway.raw import exchange
from tests.integration.gateway.test_run import PATH, Run
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Starting = Callable[..., Run]

LOCAL = ExampleServer("127.0.0.1", 9080, "native", allowed=True)
ANY_OF_LOOPBACK = {"network": "127.0.0.0/8", "ports": ["1024-65535"], "scheme": "http"}


@pytest.fixture
def starting() -> Iterator[Starting]:
    """`starting(**settings)`: start a stack with these environment variables, and wait until it is ready."""
    runs: list[Run] = []

    def start(**settings: str) -> Run:
        runs.append(Run(free_ports(4), settings=settings))
        runs[-1].ready()
        return runs[-1]

    yield start
    for run in runs:
        run.stop()


def printed_request(run: Run) -> dict[str, Any]:
    found = re.search(r"-d '(\{.*\})'", "".join(run.lines))
    assert found
    request: dict[str, Any] = json.loads(found[1])
    return request


def send(url: str, line: str, body: bytes = b"", host: str = "127.0.0.1") -> Any:
    head = f"{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return exchange(url, head.encode() + body)


def test_citrineos_calls_back_at_the_callback_base_url_that_is_set(starting: Starting) -> None:
    citrineos = CitrineOS()
    citrineos.calls_back = False
    with running_simulator(citrineos, Behaviour("CP-of-mine")) as (simulator, _):
        entry = {**ANY_OF_LOOPBACK, "ports": [simulator.port], "dialect": "citrineos"}
        run = starting(
            CALLBACK_BASE_URL="http://host.docker.internal:8000",
            LINK_SERVERS=json.dumps([entry]),
            LINK_TIMEOUT="0.5",
        )
        request = printed_request(run)
        assert (request["serverIpAddress"], request["serverRestApiPort"]) == ("127.0.0.1", simulator.port)
        body = json.dumps({**request, "chargerId": "CP-of-mine"}).encode()
        assert send(run.url, f"POST {PATH}", body).status == 504
    (called,) = citrineos.callback_urls
    url = urlsplit(called)
    assert url.netloc == "host.docker.internal:8000"
    assert list(parse_qs(url.query)) == ["keySignature"]
    # A server in a container sends that host name. The callback is accepted, and no other path is served under that name.
    answer = send(run.url, f"POST {url.path}?{url.query}", b'{"status": "Accepted"}', host=url.netloc)
    assert answer.status == 204
    attempt = json.loads(send(run.url, f"GET {PATH}/{request['id']}").body)
    assert (attempt["state"], attempt["answer"]["status"]) == ("completed", "Accepted")
    assert send(run.url, f"GET {PATH}/{request['id']}", host=url.netloc).status == 421


def test_the_printed_request_names_a_server_that_is_allowed(starting: Starting) -> None:
    (port,) = free_ports(1)
    entry = {"network": "127.0.0.1/32", "ports": [port], "dialect": "steve", "scheme": "http"}
    run = starting(LINK_SERVERS=json.dumps([entry]))
    line = run.until("You set LINK_SERVERS")[0]
    request = printed_request(run)
    assert (request["serverIpAddress"], request["serverRestApiPort"]) == ("127.0.0.1", port)
    assert "You set LINK_SERVERS" in line
    assert f"(steve, 127.0.0.1, port {port})" in "".join(run.lines)
    # The address is allowed, but no server listens there.
    assert send(run.url, f"POST {PATH}", json.dumps(request).encode()).status == 502
    # The form of the help page has the same port.
    page = send(run.url, "GET /docs").body.decode()
    assert f'name="serverRestApiPort" value="{port}"' in page


def test_the_local_server_is_named_where_it_is_allowed(starting: Starting) -> None:
    run = starting(LINK_SERVERS=json.dumps([{"network": "10.0.0.5/32", "ports": [1]}, ANY_OF_LOOPBACK]))
    request = printed_request(run)
    assert request["serverRestApiPort"] == run.rest_port
    assert send(run.url, f"POST {PATH}", json.dumps(request).encode()).status == 200


@pytest.mark.parametrize("value", ["ftp://a", "http://[a"])
def test_a_callback_base_url_that_cannot_be_used_is_named(value: str) -> None:
    run = Run(free_ports(4), settings={"CALLBACK_BASE_URL": value})
    try:
        assert run.ends() == 1
        assert "CALLBACK_BASE_URL" in run.lines[-1]
        assert "Traceback" not in "".join(run.lines)
    finally:
        run.stop()


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([ANY_OF_LOOPBACK], LOCAL),
        ([{**ANY_OF_LOOPBACK, "dialect": "steve"}], ("127.0.0.1", 1024, "steve", True)),
        ([{**ANY_OF_LOOPBACK, "scheme": "https"}], ("127.0.0.1", 1024, "native", True)),
        ([{**ANY_OF_LOOPBACK, "ports": ["8180-8190", 9000]}], ("127.0.0.1", 8180, "native", True)),
        (
            [{"network": "10.20.0.0/16", "ports": [80], "dialect": "ocpp_cs"}],
            ("10.20.0.1", 80, "ocpp-cs", True),
        ),
        ([{"network": "fd00::7/128", "ports": [80]}], ("fd00::7", 80, "native", True)),
        # The first address belongs to a narrower entry, which allows another port only.
        (
            [
                {"network": "10.20.0.0/16", "ports": [80]},
                {"network": "10.20.0.0/24", "ports": [81], "dialect": "steve"},
            ],
            ("10.20.0.1", 81, "steve", True),
        ),
        (
            [
                {"network": "10.0.0.1/32", "ports": [80], "enabled": False},
                {"network": "10.0.0.2/32", "ports": [80]},
            ],
            ("10.0.0.2", 80, "native", True),
        ),
        ([{**ANY_OF_LOOPBACK, "enabled": False}], LOCAL._replace(allowed=False)),
        ([], LOCAL._replace(allowed=False)),
    ],
)
def test_the_server_that_is_named_is_one_that_the_setting_allows(
    entries: list[dict[str, Any]], chosen: tuple[str, int, str, bool]
) -> None:
    assert choose(json.dumps(entries), LOCAL) == chosen


def test_the_sweep_runs_as_often_as_is_set(starting: Starting) -> None:
    run = starting(SWEEP_SECONDS="0.2")
    for _ in range(2):
        assert '"unknown":0' in run.until('"message":"swept"').string


def test_the_settings_are_not_needed(starting: Starting) -> None:
    run = starting()
    assert printed_request(run)["serverRestApiPort"] == run.rest_port
    assert "LINK_SERVERS" not in "".join(run.lines)
    request = {**printed_request(run), "id": str(uuid4())}
    assert send(run.url, f"POST {PATH}", json.dumps(request).encode()).status == 200

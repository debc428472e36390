"""The console's event stream, commands and files, with a real process of charge points."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from local.console import Console
from local.console.files import FOLDER
from local.gateway import serve
from local.processes import Process
from local.table import start_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

    from local.table import TableServer

TIMEOUT = 30
SCHEMA = Path(__file__).parents[3] / "docs" / "events.schema.json"
TIMES = {name: {"S": "2026-01-01T12:00:00.000000Z"} for name in ("createdAt", "updatedAt")}
JSON = {"Content-Type": "application/json"}
COMMAND = {"chargerId": "CP-3", "online": True, "reaction": "reject"}
CHARGE_POINT, KILL = "/console/charge-point", "/console/kill-ocpp-server"


class Site:
    """A console and charge points without an OCPP server. The process of the charge points also represents the OCPP server."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.console = Console()
        arguments = ["--server=ws://127.0.0.1:1/ocpp"]
        self.process = Process(
            "the charge points",
            "local.chargers",
            arguments,
            self.console.add_notice,
            self.console.set_charge_points,
        )
        stack.callback(self.process.stop)
        pages = self.console.pages(self.process, self.process, {"dialect": "native"})
        self.server = stack.enter_context(closing(serve((), lambda *_: None, pages=pages)))
        stack.callback(self.console.close)

    def send(self, method: str, path: str, body: str | None = None, headers: Any = JSON) -> HTTPResponse:
        connection = HTTPConnection(urlsplit(self.server.url).netloc, timeout=TIMEOUT)
        self.stack.callback(connection.close)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        self.stack.callback(response.close)
        return response

    def events(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and the data of each event."""
        stream = self.send("GET", "/console/events")
        assert stream.headers["Content-Type"] == "text/event-stream"
        name = ""
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)

    def first(self, wanted: str, *, having: Any = lambda _: True) -> Any:
        """Return the data of the first such event of a new stream."""
        return next(data for name, data in self.events() if name == wanted and having(data))


@contextmanager
def up() -> Iterator[Site]:
    with ExitStack() as stack:
        site = Site(stack)
        site.first("charge-points", having=bool)
        yield site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with up() as site:
        yield site


@pytest.fixture
def own_site() -> Iterator[Site]:
    """A new site, for a test that kills or closes it."""
    with up() as site:
        yield site


def of(charger: str) -> Any:
    return lambda charge_points: next(one for one in charge_points if one["chargerId"] == charger)


def test_a_new_listener_receives_the_current_state(site: Site) -> None:
    events = site.events()
    received = dict(next(events) for _ in range(4))
    assert received["stack"] == {"dialect": "native"}
    assert received["ocpp-server"] == {"pid": site.process.pid, "running": True, "restart": 5.0}
    assert of("CP-4")(received["charge-points"]) == {
        "chargerId": "CP-4",
        "version": "1.6",
        "online": True,
        "reaction": "reject",
        "delay": 0.0,
        "cable": True,
        "busy": [],
        "connected": False,
        "connectors": [{"connectorId": 1, "status": "Available"}],
        "starts": 0,
        "transactions": [],
    }
    assert received["messages"]["CP-4"] == []


def test_a_command_reaches_the_charge_point(site: Site) -> None:
    assert site.send("POST", CHARGE_POINT, json.dumps(COMMAND)).status == 204
    changed = site.first("charge-points", having=lambda all_: of("CP-3")(all_)["online"])
    assert of("CP-3")(changed)["reaction"] == "reject"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps(COMMAND | {"chargerId": "CP-404"}),
        json.dumps(COMMAND | {"online": "yes"}),
        json.dumps(COMMAND | {"reaction": "explode"}),
        json.dumps({"chargerId": "CP-3"}),
    ],
)
def test_an_invalid_command_is_rejected(site: Site, body: str) -> None:
    assert site.send("POST", CHARGE_POINT, body).status == 400
    assert site.process.running


@pytest.mark.parametrize("path", [CHARGE_POINT, KILL])
def test_only_the_console_itself_can_send_commands(site: Site, path: str) -> None:
    assert site.send("GET", path).status == 405
    # The media types that a browser sends for a page of another site without a preflight.
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        assert site.send("POST", path, json.dumps(COMMAND), {"Content-Type": content_type}).status == 415
    assert site.process.running


def test_a_killed_process_is_reported_as_ended_and_restarted(own_site: Site) -> None:
    killed = own_site.process.pid
    events = own_site.events()
    next(events)
    assert own_site.send("POST", KILL, "{}").status == 204
    assert next(data for name, data in events if name == "notice").endswith("ended (SIGKILL), restart in 5 s")
    away = next(data for name, data in events if name == "ocpp-server")
    assert (away["pid"], away["running"]) == (killed, False)
    back = next(data for name, data in events if name == "ocpp-server")
    assert back["running"]
    assert back["pid"] != killed
    assert of("CP-3")(own_site.first("charge-points", having=bool))["reaction"] == "accept"


def test_no_command_is_accepted_while_the_charge_points_are_not_running(own_site: Site) -> None:
    own_site.process.kill()
    own_site.first("ocpp-server", having=lambda server: not server["running"])
    assert own_site.send("POST", CHARGE_POINT, json.dumps(COMMAND)).status == 503


def test_every_write_to_the_table_is_published_with_its_id(site: Site) -> None:
    with closing(start_table()) as table:
        table.on_applied = site.console.on_write
        events = site.events()
        next(events)
        for operation, id_ in (("GetItem", "one"), ("UpdateItem", "two")):
            body = {"TableName": table.name, "Key": {"id": {"S": id_}}}
            if operation == "UpdateItem":
                body |= {"UpdateExpression": "REMOVE tries"}
            headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
            connection = HTTPConnection(urlsplit(table.url).netloc, timeout=TIMEOUT)
            connection.request("POST", "/", json.dumps(body), headers)
            assert connection.getresponse().status == 200
            connection.close()
        assert next(data for name, data in events if name == "attempt") == "two"


def update_attempt(table: TableServer, members: dict[str, Any]) -> None:
    """Write the members over the network, as a function does."""
    body = {
        "TableName": table.name,
        "Key": {"id": {"S": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in members),
        "ExpressionAttributeNames": {f"#{name}": name for name in members},
        "ExpressionAttributeValues": {f":{name}": value for name, value in members.items()},
    }
    connection = HTTPConnection(urlsplit(table.url).netloc, timeout=TIMEOUT)
    headers = {"X-Amz-Target": "DynamoDB_20120810.UpdateItem"}
    connection.request("POST", "/", json.dumps(body), headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_change_of_an_attempts_state_is_published_as_a_deployment_publishes_it(site: Site) -> None:
    with closing(start_table()) as table:
        table.on_change = site.console.on_change
        stream = site.events()
        next(stream)
        for members in (
            {"state": {"S": "pending"}, "token": {"S": "****E6F7"}},
            {"state": {"S": "unknown"}},
            {"tries": {"N": "2"}},  # the state stays
            {"state": {"S": "completed"}},
        ):
            update_attempt(table, {"chargerId": {"S": "CP-1"}, **TIMES, **members})
        changes = (data for name, data in stream if name == "change")
        published = [next(changes), next(changes)]
    assert [(one["detail"]["previousState"], one["detail"]["state"]) for one in published] == [
        ("pending", "unknown"),
        ("unknown", "completed"),
    ]
    assert "E6F7" not in json.dumps(published)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for one in published:
        validator.validate(one)


def test_closing_ends_the_streams(own_site: Site) -> None:
    events = own_site.events()
    next(events)
    own_site.console.close()
    assert {name for name, _ in events} <= {"stack", "ocpp-server", "charge-points", "messages"}


def test_every_file_that_a_page_or_a_script_names_is_there(site: Site) -> None:
    page = site.send("GET", "/").read().decode()
    named = set(re.findall(r'"(/console/[^"]+)"', page))
    for script in (FOLDER / "static").glob("*.js"):
        named |= {f"/console/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text())}
    assert len(named) > 8
    for path in named:
        response = site.send("GET", path)
        assert response.status == 200, path
        assert len(response.read()) > 100


def test_the_page_allows_nothing_from_elsewhere(site: Site) -> None:
    policy = site.send("GET", "/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_vendored_files_are_those_that_their_table_names() -> None:
    vendor = FOLDER / "vendor"
    table = dict(re.findall(r"\| `([\w.]+)` .*`([0-9a-f]{64})`", (vendor / "README.md").read_text()))
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.mjs")}
    assert table == files

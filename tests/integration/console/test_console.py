"""The console's side of the server: its event stream, its orders, its files; with a real process of charge points."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from local.console import Console
from local.console.files import FOLDER
from local.gateway import serve
from local.processes import Child
from local.table import start_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

PATIENCE = 30
JSON = {"Content-Type": "application/json"}
ORDER = {"chargerId": "CP-3", "online": True, "reaction": "reject"}
CHARGE_POINT, KILL = "/console/charge-point", "/console/kill-ocpp-server"


class Site:
    """A console, and charge points that find no OCPP server; the same process stands for that one too."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.console = Console()
        arguments = ["--server=ws://127.0.0.1:1/ocpp"]
        self.child = Child(
            "the charge points", "local.chargers", arguments, self.console.say, self.console.hear
        )
        stack.callback(self.child.stop)
        pages = self.console.pages(self.child, self.child, {"dialect": "native"})
        self.server = stack.enter_context(closing(serve((), lambda *_: None, pages=pages)))
        stack.callback(self.console.close)

    def send(self, method: str, path: str, body: str | None = None, headers: Any = JSON) -> HTTPResponse:
        connection = HTTPConnection(urlsplit(self.server.url).netloc, timeout=PATIENCE)
        self.stack.callback(connection.close)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.stack.callback(answer.close)
        return answer

    def events(self) -> Iterator[tuple[str, Any]]:
        """What the event stream tells: names and data."""
        stream = self.send("GET", "/console/events")
        assert stream.headers["Content-Type"] == "text/event-stream"
        name = ""
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)

    def hear(self, wanted: str, *, having: Any = lambda _: True) -> Any:
        """The data of the first such event, of a stream of its own."""
        return next(data for name, data in self.events() if name == wanted and having(data))


@contextmanager
def up() -> Iterator[Site]:
    with ExitStack() as stack:
        site = Site(stack)
        site.hear("charge-points", having=bool)
        yield site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with up() as site:
        yield site


@pytest.fixture
def mortal() -> Iterator[Site]:
    """One of its own, for a test that kills or closes."""
    with up() as site:
        yield site


def of(charger: str) -> Any:
    return lambda charge_points: next(one for one in charge_points if one["chargerId"] == charger)


def test_who_comes_hears_what_is_true_now(site: Site) -> None:
    events = site.events()
    heard = dict(next(events) for _ in range(4))
    assert heard["stack"] == {"dialect": "native"}
    assert heard["ocpp-server"] == {"pid": site.child.pid, "running": True, "away": 5.0}
    assert of("CP-4")(heard["charge-points"]) == {
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
    }
    assert heard["messages"]["CP-4"] == []


def test_an_order_reaches_the_charge_point(site: Site) -> None:
    assert site.send("POST", CHARGE_POINT, json.dumps(ORDER)).status == 204
    changed = site.hear("charge-points", having=lambda all_: of("CP-3")(all_)["online"])
    assert of("CP-3")(changed)["reaction"] == "reject"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps(ORDER | {"chargerId": "CP-404"}),
        json.dumps(ORDER | {"online": "yes"}),
        json.dumps(ORDER | {"reaction": "explode"}),
        json.dumps({"chargerId": "CP-3"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(site: Site, body: str) -> None:
    assert site.send("POST", CHARGE_POINT, body).status == 400
    assert site.child.running


@pytest.mark.parametrize("path", [CHARGE_POINT, KILL])
def test_only_the_console_itself_gives_orders(site: Site, path: str) -> None:
    assert site.send("GET", path).status == 405
    # What a browser sends for another site's page without asking us first.
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        assert site.send("POST", path, json.dumps(ORDER), {"Content-Type": content_type}).status == 415
    assert site.child.running


def test_what_was_killed_is_told_to_be_away_and_back(mortal: Site) -> None:
    killed = mortal.child.pid
    events = mortal.events()
    next(events)
    assert mortal.send("POST", KILL, "{}").status == 204
    assert next(data for name, data in events if name == "notice").endswith("ended (SIGKILL), back in 5 s")
    away = next(data for name, data in events if name == "ocpp-server")
    assert (away["pid"], away["running"]) == (killed, False)
    back = next(data for name, data in events if name == "ocpp-server")
    assert back["running"]
    assert back["pid"] != killed
    assert of("CP-3")(mortal.hear("charge-points", having=bool))["reaction"] == "accept"


def test_while_the_charge_points_are_gone_no_order_is_taken(mortal: Site) -> None:
    mortal.child.kill()
    mortal.hear("ocpp-server", having=lambda server: not server["running"])
    assert mortal.send("POST", CHARGE_POINT, json.dumps(ORDER)).status == 503


def test_every_write_to_the_table_is_told_by_its_id(site: Site) -> None:
    with closing(start_table()) as table:
        table.on_applied = site.console.wrote
        events = site.events()
        next(events)
        for operation, id_ in (("GetItem", "one"), ("UpdateItem", "two")):
            body = {"TableName": table.name, "Key": {"id": {"S": id_}}}
            if operation == "UpdateItem":
                body |= {"UpdateExpression": "REMOVE tries"}
            headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
            connection = HTTPConnection(urlsplit(table.url).netloc, timeout=PATIENCE)
            connection.request("POST", "/", json.dumps(body), headers)
            assert connection.getresponse().status == 200
            connection.close()
        assert next(data for name, data in events if name == "attempt") == "two"


def test_closing_ends_the_streams(mortal: Site) -> None:
    events = mortal.events()
    next(events)
    mortal.console.close()
    assert {name for name, _ in events} <= {"stack", "ocpp-server", "charge-points", "messages"}


def test_every_file_that_a_page_or_a_script_names_is_there(site: Site) -> None:
    page = site.send("GET", "/").read().decode()
    named = set(re.findall(r'"(/console/[^"]+)"', page))
    for script in (FOLDER / "static").glob("*.js"):
        named |= {f"/console/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text())}
    assert len(named) > 8
    for path in named:
        answer = site.send("GET", path)
        assert answer.status == 200, path
        assert len(answer.read()) > 100


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

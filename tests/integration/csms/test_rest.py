"""The REST API: the requests that it rejects, and that every response conforms to docs/native-link.openapi.yaml."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from local.chargers import Behaviour, Reaction
from local.csms import Csms, Options
from tests.integration.csms.client import Rest
from tests.integration.csms.conformance import CONNECT, METHODS, STATUS, document, documented

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.csms.conftest import type_of_plug

START = '{"tokenId": "TAG"}'


def test_the_file_is_openapi() -> None:
    validate(document())


def test_its_examples_conform_to_its_schemas() -> None:
    count = 0
    operations = [(path, method) for path, methods in METHODS.items() for method in methods]
    for operation in operations:
        for response in documented(*operation).values():
            for media in response["content"].values():
                examples = [example["value"] for example in media.get("examples", {}).values()]
                for example in examples + ([media["example"]] if "example" in media else []):
                    Draft202012Validator({**document(), **media["schema"]}).validate(example)
                    count += 1
    assert count >= 20


class TestEveryAnswer:
    """Each status code of the file, from the running server; the client checks each response against the file."""

    @pytest.fixture
    def options(self, tmp_path: Path) -> Options:
        return Options(database=str(tmp_path / "csms.db"), authorization="Bearer secret")

    def test_of_connect(self, rest: Rest, options: Options, plug: type_of_plug) -> None:
        rest.authorization = "Bearer secret"
        plug(Behaviour("CP"))
        plug(Behaviour("SILENT", reaction=Reaction.SILENT))
        key = str(uuid4())
        target = f"/api/v1/chargers/CP/connections/{uuid4()}"
        seen = {
            rest.connect("CP", key=key).outcome,
            rest.connect("CP", "OTHER", key=key).outcome,
            rest.put("CP", "nonsense", str(uuid4())).outcome,
            rest.connect("NOBODY").outcome,
            rest.send("POST", target, CONNECT, START).outcome,
            rest.put("CP", " " * 65_536 + START, str(uuid4())).outcome,
            rest.connect("CP", wait=0).outcome,
            rest.connect("SILENT", wait=1).outcome,
        }
        rest.authorization = "Bearer other"
        seen.add(rest.connect("CP").outcome)
        rest.authorization = "Bearer secret"
        with sqlite3.connect(options.database) as database:
            database.execute("DROP TABLE connection")
        database.close()
        seen.add(rest.connect("CP").outcome)
        assert {str(status) for status, _ in seen} == documented(CONNECT, "PUT").keys()

    def test_of_status(
        self, rest: Rest, plug: type_of_plug, monkeypatch: pytest.MonkeyPatch, csms: Csms
    ) -> None:
        rest.authorization = "Bearer secret"
        plug(Behaviour("CP"))
        seen = {
            rest.status("CP").outcome,
            rest.status("CP", "?connectorId=0").outcome,
            rest.status("NOBODY").outcome,
            rest.send("DELETE", "/api/v1/chargers/CP", STATUS).outcome,
            rest.status("CP", "?connectorId=9").outcome,
        }
        monkeypatch.setattr(csms.chargers.by_identity["CP"], "reports", None)
        seen.add(rest.status("CP").outcome)
        rest.authorization = ""
        seen.add(rest.status("CP").outcome)
        assert {str(status) for status, _ in seen} == documented(STATUS, "GET").keys()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "null",
        "[]",
        '"TAG"',
        "{}",
        '{"tokenId": null}',
        '{"tokenId": ""}',
        '{"tokenId": 5}',
        '{"tokenId": "a\\u0000b"}',
        '{"tokenId": "a\\nb"}',
        '{"tokenId": "\\ud83d"}',
        json.dumps({"tokenId": "x" * 37}),
        '{"tokenId": "TAG", "connectorId": 0}',
        '{"tokenId": "TAG", "connectorId": -1}',
        '{"tokenId": "TAG", "connectorId": "1"}',
        '{"tokenId": "TAG", "connectorId": true}',
        '{"tokenId": "TAG", "connectorId": 1.5}',
        '{"tokenId": "TAG", "connectorId": 2147483648}',
        "[" * 20_000,
        '{"tokenId": ' + "9" * 20_000 + "}",
    ],
)
def test_a_body_that_is_not_a_start_is_rejected_and_starts_nothing(
    rest: Rest, plug: type_of_plug, body: str
) -> None:
    charger = plug(Behaviour("CP"))
    assert rest.put("CP", body, str(uuid4())).outcome == (400, "invalid-request")
    assert charger.starts == []


@pytest.mark.parametrize("key", ["x", "0", "5f0c7d7a-52f5-4d3c-8a8e-3a1f3c1f0b1", "%00"])
def test_an_id_that_is_not_a_uuid_is_rejected(rest: Rest, key: str) -> None:
    assert rest.put("CP-3", START, key).outcome == (400, "invalid-request")


def test_unknown_fields_are_ignored(rest: Rest, plug: type_of_plug) -> None:
    plug(Behaviour("CP"))
    assert rest.put("CP", '{"tokenId": "TAG", "connectorId": null, "more": {}}', str(uuid4())).status == 200


@pytest.mark.parametrize(
    "target", ["/", "/api/v1/chargers", "/api/v1/chargers/", "/api/v1/chargers/CP-3/connections", "/x"]
)
def test_any_other_path_is_not_found(rest: Rest, target: str) -> None:
    assert rest.send("GET", target, STATUS).outcome == (404, "no-such-resource")


def test_a_path_that_is_not_utf_8_is_rejected(rest: Rest) -> None:
    assert rest.send("GET", "/api/v1/chargers/%ff", STATUS).outcome == (400, "invalid-request")


@pytest.mark.parametrize("prefer", ["wait=1", "respond-async, wait=1", 'Wait = "1"', "wait=1; foo=bar"])
def test_prefer_wait_is_read_in_every_spelling(rest: Rest, plug: type_of_plug, prefer: str) -> None:
    plug(Behaviour("CP", reaction=Reaction.SILENT))
    reply = rest.send("PUT", f"/api/v1/chargers/CP/connections/{uuid4()}", CONNECT, START, Prefer=prefer)
    assert reply.outcome == (504, "no-answer")


def test_one_connection_serves_several_requests(csms: Csms) -> None:
    connection = HTTPConnection("127.0.0.1", csms.rest_port, timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/api/v1/chargers/CP-3")
        answer = connection.getresponse()
        assert json.loads(answer.read())["status"] == "Unavailable"
        sockets.add(id(connection.sock))
    connection.close()
    assert len(sockets) == 1


def test_many_callers_wait_at_once(rest: Rest, plug: type_of_plug) -> None:
    for number in range(10):
        plug(Behaviour(f"CP-{number}", delay=1))
    with ThreadPoolExecutor(100) as pool:
        keys = [str(uuid4()) for _ in range(10)]
        replies = list(pool.map(lambda n: rest.connect(f"CP-{n % 10}", key=keys[n % 10]), range(100)))
    assert {reply.outcome for reply in replies} == {(200, "Accepted")}

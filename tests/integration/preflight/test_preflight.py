"""Before traffic shifts, each new version reports what it cannot reach, and CodeDeploy receives the result."""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

import attempts.handler
import callback.handler
import callback.service
import charger_connect.preflight
import charger_connect.service
from common.edge.journal_access import open_journal
from common.journal import Journal
from common.settings import Settings
from common.settings.preflight import PreflightSettings
from local.server import Request, Response, Server
from local.table import Fault
from preflight.handler import respond
from tests.integration.calling import Context
from tests.operations.conftest import captured_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.table import TableServer

HOOK = {"DeploymentId": "d-ABC123", "LifecycleEventHookExecutionId": "eyJ0IjoxfQ"}
ARN = "arn:aws:lambda:eu-west-1:000000000000:function:"
DENIED = Fault(apply=False, error="ResourceNotFoundException")


class Aws:
    """The operations of Lambda and CodeDeploy that the check calls. `versions` maps each version's name to its check."""

    def __init__(self) -> None:
        self.versions: dict[str, Callable[[], Any]] = {}
        self.reports: list[dict[str, str]] = []
        self.server = Server(self._respond, 0)

    def _respond(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers}
        if headers.get("x-amz-target") == "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus":
            self.reports.append(json.loads(request.body))
            return Response(200, [("Content-Type", "application/x-amz-json-1.1")], b"{}")
        assert json.loads(request.body) == {"preflight": True}
        name = unquote(request.target).split("/")[3].removeprefix(ARN)
        if name not in self.versions:
            return Response(404, [("x-amzn-ErrorType", "ResourceNotFoundException")], b"{}")
        try:
            return Response(200, [], json.dumps({"failures": self.versions[name]()}).encode())
        except Exception as error:  # noqa: BLE001 - as the runtime reports an exception of the handler
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Response(200, [("X-Amz-Function-Error", "Unhandled")], json.dumps(document).encode())


@pytest.fixture
def environment(table: TableServer, tmp_path: Path) -> dict[str, str]:
    entry = {"network": "10.0.0.0/8", "ports": [8080], "secret": "steve"}
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"steve": {"bearer": "x"}}))
    return {
        **table.environment(),
        "JOURNAL_SECRET": "a secret of the tests",
        "LINK_SERVERS": json.dumps([entry]),
        "LINK_SECRETS_FILE": str(secrets),
    }


@pytest.fixture
def aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Serve AWS with the three functions. They read `environment` when they are invoked."""
    aws = Aws()
    modules: dict[str, tuple[Callable[[dict[str, str]], Any], Callable[[Any], list[str]]]] = {
        "connect:2": (charger_connect.service.Service.of, charger_connect.preflight.failures),
        "attempts:2": (_open_journal, attempts.handler.failures),
        "callback:2": (callback.service.Service.of, callback.handler.failures),
    }
    aws.versions = {name: partial(_check_version, *pair, environment) for name, pair in modules.items()}
    for name in ("LAMBDA", "CODEDEPLOY"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", aws.server.url)
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with closing(aws.server):
        yield aws


def _open_journal(environment: dict[str, str]) -> Journal:
    return open_journal(Settings.read(environment), environment)


def _check_version(
    build: Callable[[dict[str, str]], Any], failures: Callable[[Any], list[str]], environment: dict[str, str]
) -> list[str]:
    service = build(environment)
    try:
        return failures(service)
    finally:
        _close(service)


def _close(service: Any) -> None:
    journal = service if isinstance(service, Journal) else service.journal
    journal._dynamodb.close()


def check(*versions: str) -> dict[str, Any]:
    with captured_lines():
        settings = PreflightSettings.read({"VERSIONS": ",".join(ARN + name for name in versions)})
        return respond(HOOK, Context(120.0), settings)


ALL = ("connect:2", "attempts:2", "callback:2")


def test_versions_that_reach_everything_receive_traffic(aws: Aws, table: TableServer) -> None:
    assert check(*ALL) == {"status": "Succeeded", "failures": {}}
    assert aws.reports == [
        {
            "deploymentId": "d-ABC123",
            "lifecycleEventHookExecutionId": "eyJ0IjoxfQ",
            "status": "Succeeded",
        }
    ]
    assert table.items() == [], "the check changes nothing"
    assert set(table.operations) == {"UpdateItem", "GetItem", "Query", "BatchGetItem"}


@pytest.mark.parametrize("denied", ["UpdateItem", "GetItem", "Query", "BatchGetItem"])
def test_a_missing_permission_for_the_table_stops_the_deployment(
    aws: Aws, table: TableServer, denied: str
) -> None:
    table.on_request = lambda operation, _: DENIED if operation == denied else None
    answer = check("connect:2")
    assert answer["failures"] == {ARN + "connect:2": ["table: ResourceNotFoundException"]}
    assert aws.reports[0]["status"] == "Failed"


def test_a_secret_that_cannot_be_read_stops_the_deployment(aws: Aws, environment: dict[str, str]) -> None:
    environment["LINK_SECRETS_FILE"] = "/nowhere"
    assert check(*ALL)["failures"] == {ARN + "connect:2": ["secret steve"]}
    assert aws.reports[0]["status"] == "Failed"


@pytest.mark.parametrize("server", ["10.0.0.5:8081", "192.0.2.1:8080"])
def test_a_default_server_that_link_servers_does_not_allow_stops_the_deployment(
    aws: Aws, environment: dict[str, str], server: str
) -> None:
    environment["DEFAULT_LINK_SERVER"] = "10.0.0.5:8080"
    assert check(*ALL)["failures"] == {}
    environment["DEFAULT_LINK_SERVER"] = server
    failure = f"DefaultLinkServer {server}: no entry of LinkServers allows it"
    assert check(*ALL)["failures"] == {ARN + "connect:2": [failure]}


def test_a_setting_that_cannot_be_read_stops_the_deployment(aws: Aws, environment: dict[str, str]) -> None:
    environment["LINK_SERVERS"] = '[{"network": "10.0.0.0/33", "ports": [1]}]'
    (failure,) = check(*ALL)["failures"][ARN + "connect:2"]
    assert failure.startswith("does not start: LinkServersError: LinkServers cannot be used: 0.network")
    assert aws.reports[0]["status"] == "Failed"


def test_a_version_that_cannot_be_invoked_or_does_not_support_the_check_stops_the_deployment(
    aws: Aws,
) -> None:
    aws.versions["old:1"] = lambda: 1
    failures = check("gone:9", "old:1")["failures"]
    assert failures[ARN + "gone:9"] == ["could not be asked: ResourceNotFoundException"]
    assert failures[ARN + "old:1"] == ["could not be asked: TypeError"]
    assert aws.reports[0]["status"] == "Failed"


@pytest.mark.parametrize("function", ["charger_connect", "attempts", "callback"])
def test_each_function_answers_the_check(
    function: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, f"{function}.app", raising=False)
    module = importlib.import_module(f"{function}.app")
    assert module.handler({"preflight": True}, None) == {"failures": []}
    _close(module._service)
    monkeypatch.delitem(sys.modules, f"{function}.app")


def test_the_authorizer_answers_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_SOURCES", "203.0.113.0/28")
    monkeypatch.delitem(sys.modules, "authorizer.app", raising=False)
    module = importlib.import_module("authorizer.app")
    assert module.handler({"preflight": True}, None) == {"failures": []}
    monkeypatch.delitem(sys.modules, "authorizer.app")


def test_the_hook_reads_the_versions_that_the_template_gives_it(
    aws: Aws, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = resources["PreflightFunction"]["Properties"]["Environment"]["Variables"]["VERSIONS"]
    assert [name.partition("Version")[0] for name in versions.split(",")] == [
        "ConnectFunction",
        "AttemptsFunction",
        "CallbackFunction",
        "ResolveFunction",
    ]
    monkeypatch.setenv("VERSIONS", ARN + "connect:2")
    monkeypatch.delitem(sys.modules, "preflight.app", raising=False)
    module = importlib.import_module("preflight.app")
    with captured_lines():
        assert module.handler(HOOK, None)["status"] == "Succeeded"
    monkeypatch.delitem(sys.modules, "preflight.app")

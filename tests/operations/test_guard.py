"""No exception leaves a function: it becomes a safe response, a log line with types and places, and two metrics."""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

import attempts.handler
import authorizer.handler
import callback.handler
import charger_connect.handler
import preflight.handler
import resolve.handler
from common.edge.entry_point import check
from common.edge.guard import Crashed, causes, guarded, run_guarded
from common.edge.paths import CALLBACK
from common.settings.preflight import PreflightSettings
from local.server import Request, Response, Server
from scripts.transform import load
from tests.infrastructure.conftest import of_type
from tests.integration.calling import Context
from tests.operations.conftest import captured_lines, messages, metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Respond = Callable[..., dict[str, Any]]

TOKEN = "04A2B3C4D5E6F7"
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
JSON = {"content-type": "application/json"}


class Failing:
    """Replaces the objects that a function works with: each use raises, with the token in the message."""

    def __getattr__(self, name: str) -> Any:
        try:
            raise KeyError(f"no {name} for {TOKEN}")
        except KeyError as error:
            raise RuntimeError(f"no {name} for {TOKEN}") from error


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    respond: Respond
    event: dict[str, Any]


CASES = [
    Case(
        "ConnectFunction",
        charger_connect.handler.respond,
        {
            "headers": JSON,
            "requestContext": {"http": {"method": "POST"}},
            "body": json.dumps({"id": ID, "chargerId": "CP-1", "tokenId": TOKEN}),
        },
    ),
    Case(
        "AttemptsFunction",
        attempts.handler.respond,
        {"routeKey": "GET /api/v1/ocpp/charger-connect/{id}", "pathParameters": {"id": ID}},
    ),
    Case(
        "CallbackFunction",
        callback.handler.respond,
        {
            "routeKey": f"POST {CALLBACK}",
            "pathParameters": {"id": ID, "expires": "9" * 10, "signature": "0"},
            "body": "{}",
        },
    ),
    Case(
        "AuthorizerFunction",
        authorizer.handler.respond,
        {
            "routeKey": "ANY /api/v1/ocpp/charger-connect",
            "requestContext": {"http": {"sourceIp": "203.0.113.1"}},
        },
    ),
]
HTTP = [case for case in CASES if case.name != "AuthorizerFunction"]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
SOME = pytest.mark.parametrize("case", HTTP, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def _callbacks_do_not_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.journal.callbacks.is_expired", lambda *_: False)


def assert_without_message(error: Crashed) -> None:
    assert str(error) == "see crashed in the log"
    assert error.__cause__ is None
    assert error.__context__ is None


def crash(case: Case) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the response, and all printed lines."""
    with captured_lines() as lines:
        answer = case.respond(case.event, Context(29.0, "r-1", case.name, "7"), Failing())
    return answer, lines


@SOME
def test_a_crash_is_a_500_without_anything_of_the_exception(case: Case) -> None:
    answer, _ = crash(case)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["type"], problem["outcome"]) == (
        500,
        "/problems/internal-error",
        "unknown",
    )
    assert not [word for word in (TOKEN, "RuntimeError", "Traceback") if word in answer["body"]]


def test_a_crash_of_the_authorizer_denies_the_request() -> None:
    (authorizer_case,) = [case for case in CASES if case.name == "AuthorizerFunction"]
    answer, _ = crash(authorizer_case)
    assert answer == {"isAuthorized": False}


@EVERY
def test_a_crash_is_logged_with_types_and_places_only(case: Case) -> None:
    _, lines = crash(case)
    (line,) = [line for line in messages(lines) if line["message"] == "crashed"]
    assert [cause["type"] for cause in line["causes"]] == ["RuntimeError", "KeyError"]
    assert line["causes"][0]["places"][-1].endswith("__getattr__")
    assert line["requestId"] == "r-1"
    assert TOKEN not in json.dumps(lines)


@EVERY
def test_a_crash_is_counted_for_the_service_and_for_the_version_of_the_function(case: Case) -> None:
    _, lines = crash(case)
    assert metrics(lines) == {
        ("Crashes", frozenset({("service", "local")})): 1,
        ("Failures", frozenset({("service", "local"), ("function", case.name), ("version", "7")})): 1,
        **{key: 1 for key in metrics(lines) if key[0] == "ColdStarts"},
    }


@EVERY
@pytest.mark.parametrize("event", [{}, [], None, {"headers": 1}, {"requestContext": 1, "pathParameters": 1}])
def test_no_event_makes_a_function_raise_another_exceptions_message(case: Case, event: Any) -> None:
    raised: Crashed | None = None
    with captured_lines():
        try:
            answer = case.respond(event, Context(29.0), Failing())
        except Crashed as crashed:
            answer, raised = {}, crashed
    if raised is None:
        assert answer.get("isAuthorized") is False or answer["statusCode"] >= 400
    else:
        assert_without_message(raised)


@pytest.mark.parametrize("media", ["application/xml", "application/json"])
def test_the_response_after_a_crash_has_the_format_of_the_request(media: str) -> None:
    event = {"headers": {"Content-Type": media}, "requestContext": {"http": {"method": "POST"}}, "body": 1}
    with captured_lines():
        answer = charger_connect.handler.respond(event, Context(29.0, function_version="7"), Failing())  # type: ignore[arg-type]
    assert answer["headers"]["Content-Type"].startswith(media.replace("/", "/problem+"))


def test_if_the_crash_response_raises_as_well_the_runtime_receives_an_exception_without_the_message() -> None:
    def fails(*_: object) -> dict[str, Any]:
        raise RuntimeError(TOKEN)

    with captured_lines() as lines, pytest.raises(Crashed) as raised:
        guarded(fails)(fails)({}, Context(29.0))
    assert_without_message(raised.value)
    assert [line["message"] for line in messages(lines)] == ["crashed", "crashed"]
    assert TOKEN not in json.dumps(lines)


def test_a_crash_that_cannot_be_counted_still_has_a_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    answer, lines = crash(CASES[1])
    assert answer["statusCode"] == 500
    assert [line["message"] for line in messages(lines)] == ["crashed", "crash not counted"]
    assert TOKEN not in json.dumps(lines)


def test_a_crash_of_the_sweep_is_logged_and_counted_and_lambda_receives_an_exception_without_the_message() -> (
    None
):
    context = Context(50.0, "r-1", "ResolveFunction", "7")
    with captured_lines() as lines, pytest.raises(Crashed) as raised:
        resolve.handler.respond({"sweep": True}, context, Failing())  # type: ignore[arg-type]
    assert_without_message(raised.value)
    assert [line["message"] for line in messages(lines)] == ["crashed"]
    assert ("Crashes", frozenset({("service", "local")})) in metrics(lines)
    assert TOKEN not in json.dumps(lines)


def test_system_exit_passes_the_guard() -> None:
    def ends() -> dict[str, Any]:
        raise SystemExit

    with pytest.raises(SystemExit):
        run_guarded(ends, Context(29.0), dict)


def test_a_long_chain_of_causes_is_cut() -> None:
    error = RuntimeError()
    for _ in range(9):
        outer = RuntimeError()
        outer.__cause__ = error
        error = outer
    assert len(causes(error)) == 5


def test_a_check_that_crashes_is_a_failure_of_the_version() -> None:
    def fails() -> list[str]:
        raise RuntimeError(TOKEN)

    with captured_lines() as lines:
        answer = check(fails, Context(29.0))
    assert answer == {"failures": ["the check itself failed: see crashed in the log of this version"]}
    assert TOKEN not in json.dumps(lines)


@pytest.mark.parametrize("package", ["charger_connect", "attempts", "callback", "resolve"])
def test_every_version_guards_its_own_check(
    package: str, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**table.environment(), "JOURNAL_SECRET": "a secret of the tests", "LINK_SERVERS": "[]"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, f"{package}.app", raising=False)
    app = importlib.import_module(f"{package}.app")
    monkeypatch.delitem(sys.modules, f"{package}.app")
    monkeypatch.setattr(app, "_service", Failing())
    with captured_lines() as lines:
        (failure,) = app.handler({"preflight": True}, Context(29.0))["failures"]
    assert "see crashed in the log" in failure
    assert TOKEN not in json.dumps(lines)


HOOK = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}


@contextmanager
def codedeploy(status: int, reported: list[str]) -> Iterator[None]:
    """Serve CodeDeploy, which responds with this status, and with the token in the message of an error."""

    def respond(request: Request) -> Response:
        reported.append(json.loads(request.body)["status"])
        body = {} if status == 200 else {"__type": "InvalidRequest", "message": TOKEN}
        return Response(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode())

    with closing(Server(respond, 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", server.url)
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")
        yield


def test_if_the_check_crashes_codedeploy_receives_failed() -> None:
    reported: list[str] = []
    with codedeploy(200, reported), captured_lines() as lines:
        answer = preflight.handler.respond(HOOK, Context(120.0), cast("PreflightSettings", Failing()))
    assert (answer["status"], reported) == ("Failed", ["Failed"])
    assert "crashed" in [line["message"] for line in messages(lines)]
    assert ("Crashes", frozenset({("service", "local")})) in metrics(lines)
    assert TOKEN not in json.dumps(lines) + json.dumps(answer)


def test_if_the_report_to_codedeploy_fails_the_hook_fails_without_the_message() -> None:
    reported: list[str] = []
    with codedeploy(400, reported), captured_lines() as lines, pytest.raises(Crashed) as raised:
        preflight.handler.respond(HOOK, Context(120.0), cast("PreflightSettings", Failing()))
    assert reported == ["Failed"]
    assert_without_message(raised.value)
    assert TOKEN not in json.dumps(lines)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            {"errorType": "SettingsError", "errorMessage": "LINK_TIMEOUT: too long"},
            "SettingsError: LINK_TIMEOUT: too long",
        ),
        (
            {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 29.00 seconds"},
            "Sandbox.Timedout: Task timed out after 29.00 seconds",
        ),
        ({"errorType": "KeyError", "errorMessage": TOKEN}, "KeyError: see the log of this version"),
        ({"errorMessage": TOKEN}, "None: see the log of this version"),
    ],
)
def test_the_reason_that_a_version_does_not_start_is_returned_if_it_cannot_hold_a_secret(
    error: dict[str, str], shown: str
) -> None:
    def respond(_request: Request) -> Response:
        return Response(200, [("X-Amz-Function-Error", "Unhandled")], json.dumps(error).encode())

    reported: list[str] = []
    settings = PreflightSettings.read({"VERSIONS": "one"})
    with (
        closing(Server(respond, 0)) as server,
        codedeploy(200, reported),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        with captured_lines() as lines:
            answer = preflight.handler.respond(HOOK, Context(120.0), settings)
    assert answer["failures"] == {"one": [f"does not start: {shown}"]}
    assert TOKEN not in json.dumps(lines)


def test_the_reason_that_a_version_could_not_be_invoked_is_returned_by_type_only() -> None:
    def respond(_request: Request) -> Response:
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")]
        return Response(403, headers, json.dumps({"Message": TOKEN}).encode())

    reported: list[str] = []
    settings = PreflightSettings.read({"VERSIONS": "one"})
    with (
        closing(Server(respond, 0)) as server,
        codedeploy(200, reported),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        with captured_lines() as lines:
            answer = preflight.handler.respond(HOOK, Context(120.0), settings)
    assert (answer["failures"], reported) == (
        {"one": ["could not be asked: AccessDeniedException"]},
        ["Failed"],
    )
    assert TOKEN not in json.dumps(lines)


def test_every_function_has_a_case_here() -> None:
    functions = set(of_type(load()["Resources"], "AWS::Serverless::Function"))
    assert functions - {case.name for case in CASES} == {
        "PreflightFunction",  # its own tests are above
        "ResolveFunction",  # likewise
        "HelpFunction",  # returns a constant
    }

"""Calling functions: the handler in this process, and a runtime over HTTP, one emulator for each concurrent call."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from local.gateway import FunctionError
from local.invokers import LambdaContext, in_process, over_http
from local.server import Request, Response, Server

EVENT = {"version": "2.0", "headers": {"x-amzn-trace-id": "Root=1-0-1"}}


def test_a_handler_gets_the_event_and_a_context() -> None:
    seen: list[LambdaContext] = []

    def handler(event: dict[str, Any], context: LambdaContext) -> Any:
        seen.append(context)
        return {"statusCode": 200, "body": event["version"]}

    assert in_process({"One": handler}, timeout=29)("One", EVENT) == {"statusCode": 200, "body": "2.0"}
    (context,) = seen
    assert 0 < context.get_remaining_time_in_millis() <= 29_000
    assert context.function_name == "One"
    assert context.invoked_function_arn.endswith(":function:One:live")
    assert context.aws_request_id


def test_a_handler_cannot_change_the_callers_event() -> None:
    event = {"headers": {"a": "b"}}
    in_process({"One": lambda event, _: event["headers"].clear()})("One", event)
    assert event == {"headers": {"a": "b"}}


def test_an_answer_that_json_cannot_carry_is_an_error() -> None:
    with pytest.raises(TypeError):
        in_process({"One": lambda *_: {"statusCode": 200, "body": b"bytes"}})("One", EVENT)


class Emulator:
    """A fake runtime interface emulator. It counts the calls that arrive while it is busy."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.overlaps = 0
        self._busy = Lock()
        self._server = Server(self._respond)
        self.url = self._server.url
        self.close = self._server.close

    def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        if not self._busy.acquire(blocking=False):
            self.overlaps += 1
            return Response(500)
        try:
            time.sleep(0.01)
            return Response(
                200, body=self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
            )
        finally:
            self._busy.release()


def test_an_event_is_posted_to_the_emulator_with_its_trace() -> None:
    emulator = Emulator({"statusCode": 201})
    try:
        assert over_http({"One": [emulator.url]})("One", EVENT) == {"statusCode": 201}
    finally:
        emulator.close()
    (request,) = emulator.requests
    assert (request.method, request.target) == ("POST", "/2015-03-31/functions/function/invocations")
    assert ("X-Amzn-Trace-Id", "Root=1-0-1") in request.headers
    assert json.loads(request.body) == EVENT


def test_no_emulator_gets_a_second_call_before_it_answered_the_first() -> None:
    emulators = [Emulator({"statusCode": 200}) for _ in range(3)]
    try:
        invoke = over_http({"One": [emulator.url for emulator in emulators]})
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: invoke("One", EVENT), range(36)))
    finally:
        for emulator in emulators:
            emulator.close()
    assert answers == [{"statusCode": 200}] * 36
    assert [emulator.overlaps for emulator in emulators] == [0, 0, 0]
    assert all(emulator.requests for emulator in emulators)


@pytest.mark.parametrize(
    "answer",
    [
        {"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "stackTrace": []},
        {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 29.00 seconds"},
        b"Task timed out after 29.00 seconds",
    ],
)
def test_a_function_that_failed_is_an_error(answer: Any) -> None:
    emulator = Emulator(answer)
    try:
        with pytest.raises(FunctionError):
            over_http({"One": [emulator.url]})("One", EVENT)
    finally:
        emulator.close()


def test_an_emulator_that_cannot_be_reached_is_an_error_and_is_called_again_later() -> None:
    emulator = Emulator({"statusCode": 200})
    emulator.close()
    invoke = over_http({"One": [emulator.url]})
    for _ in range(2):
        with pytest.raises(FunctionError):
            invoke("One", EVENT)

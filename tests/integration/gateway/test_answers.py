"""The response that a caller receives for a function's response, and for a function that fails."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from local import gateway as gateway_module
from local.gateway import FunctionError
from local.server import Request, Response
from tests.integration.gateway.raw import connected, exchange, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.conftest import Serving

GET = b"GET /any HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"HEAD /any HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_status_headers_cookies_and_body_reach_the_caller(serving: Serving) -> None:
    answer = {
        "statusCode": 404,
        "headers": {"Content-Type": "application/problem+json", "X-Number": 3, "Content-Length": "99999"},
        "cookies": ["a=1; Secure"],
        "body": '{"é":1}',
        "isBase64Encoded": False,
    }
    with serving(answer) as gateway:
        response = exchange(gateway.url, GET)
    assert (response.status, response.body) == (404, '{"é":1}'.encode())
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-number"] == "3"
    assert response.headers["set-cookie"] == "a=1; Secure"
    assert response.headers["content-length"] == "8"


def test_a_base64_body_is_sent_as_its_bytes(serving: Serving) -> None:
    answer = {"statusCode": 200, "body": b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}
    with serving(answer) as gateway:
        assert exchange(gateway.url, GET).body == b"\x00\xff"


@pytest.mark.parametrize(
    ("answer", "body"), [("hello", b"hello"), ({"a": 1}, b'{"a": 1}'), ([1], b"[1]"), (None, b"null")]
)
def test_a_response_without_a_status_code_is_sent_as_200_with_json(
    serving: Serving, answer: Any, body: bytes
) -> None:
    with serving(answer) as gateway:
        response = exchange(gateway.url, GET)
    assert (response.status, response.headers["content-type"], response.body) == (
        200,
        "application/json",
        body,
    )


def test_a_body_without_a_content_type_is_plain_text(serving: Serving) -> None:
    with serving({"statusCode": 200, "body": "x"}) as gateway:
        assert exchange(gateway.url, GET).headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "200"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": {"x": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"x": "€"}},
        {"statusCode": 200, "cookies": ["a\r\nb"]},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "\ud83d"},
    ],
)
def test_a_malformed_response_is_a_500(serving: Serving, answer: Any) -> None:
    with serving(answer) as gateway:
        response = exchange(gateway.url, GET)
    assert (response.status, response.body) == (500, b'{"message": "Internal Server Error"}')


@pytest.mark.parametrize("error", [ValueError("secret"), TimeoutError(), FunctionError("killed")])
def test_a_function_that_fails_is_a_500_without_its_reason(serving: Serving, error: Exception) -> None:
    def fail(_event: dict[str, Any]) -> None:
        raise error

    with serving(fail) as gateway:
        response = exchange(gateway.url, GET)
    assert (response.status, response.body) == (500, b'{"message": "Internal Server Error"}')


def test_a_function_that_takes_too_long_is_a_503(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "INTEGRATION_SECONDS", 0.05)
    with serving(lambda _: time.sleep(1)) as gateway:
        response = exchange(gateway.url, GET)
    assert (response.status, response.body) == (503, b'{"message": "Service Unavailable"}')


def test_the_response_to_head_has_the_length_but_not_the_body(serving: Serving) -> None:
    with serving({"statusCode": 405, "body": "12345"}) as gateway, connected(gateway.url) as connection:
        connection.sendall(HEAD)
        assert read(connection, "HEAD").headers["content-length"] == "5"
        connection.sendall(GET)
        assert read(connection).body == b"12345"


def test_a_page_of_the_local_stack_is_served_beside_the_routes(serving: Serving) -> None:
    def page(request: Request) -> Response:
        return Response(200, [("Content-Type", "text/html")], request.method.encode())

    with serving("", {"/": page}) as gateway:
        response = exchange(gateway.url, b"GET /?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (response.status, response.headers["content-type"], response.body) == (200, "text/html", b"GET")


def test_a_page_may_send_its_body_piece_by_piece(serving: Serving) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(3):
            yield f"data: {number}\n\n".encode()

    pages = {"/events": lambda _: Response(200, [("Content-Type", "text/event-stream")], pieces())}
    with serving("", pages) as gateway, connected(gateway.url) as connection:
        for _ in range(2):
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read(connection).body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_fifty_callers_are_served_at_once(serving: Serving) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    together = Barrier(50, timeout=10)

    def wait_for_all(event: dict[str, Any]) -> Any:
        together.wait()
        return {"statusCode": 200, "body": event["rawQueryString"]}

    def send(number: int) -> int:
        line = f"GET /any?{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        return int(json.loads(exchange(gateway.url, line.encode()).body))

    with serving(wait_for_all) as gateway, ThreadPoolExecutor(50) as pool:
        assert list(pool.map(send, range(50))) == list(range(50))

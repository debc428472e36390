"""The event that a function receives for a request: payload format 2.0, as a real HTTP API builds it."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.raw import exchange

if TYPE_CHECKING:
    from tests.integration.gateway.conftest import Gateway


def post(gateway: Gateway, body: bytes, *fields: str) -> dict[str, object]:
    lines = ["POST /any HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *fields]
    assert exchange(gateway.url, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body).status == 204
    return gateway.events[-1]


def get(gateway: Gateway, target: str) -> dict[str, object]:
    assert exchange(gateway.url, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).status == 204
    return gateway.events[-1]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/xml",
        "application/javascript",
        "text/json",
        "text/xml; charset=utf-8",
        "text/anything",
        "APPLICATION/JSON",
        "application/json;foo=bar",
    ],
)
def test_a_text_body_is_decoded(gateway: Gateway, content_type: str) -> None:
    event = post(gateway, "é€😀".encode(), f"Content-Type: {content_type}")
    assert (event["body"], event["isBase64Encoded"]) == ("é€😀", False)


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("Content-Type: application/x-www-form-urlencoded",),
        ("Content-Type: application/octet-stream",),
        ("Content-Type: application/problem+json",),
        ("Content-Type: application/json-patch",),
        ("Content-Type: json",),
        ("Content-Type:",),
    ],
)
def test_any_other_body_arrives_in_base64(gateway: Gateway, fields: tuple[str, ...]) -> None:
    event = post(gateway, b"\x00\xff a=b", *fields)
    assert event["isBase64Encoded"] is True
    assert b64decode(str(event["body"])) == b"\x00\xff a=b"


def test_text_that_is_not_utf8_is_decoded_with_replacement(gateway: Gateway) -> None:
    event = post(gateway, b"a\xffb", "Content-Type: text/xml")
    assert event["body"] == "a�b"


def test_an_empty_body_is_no_body(gateway: Gateway) -> None:
    event = post(gateway, b"", "Content-Type: application/json")
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_header_names_are_lower_case_and_repeated_ones_joined(gateway: Gateway) -> None:
    event = post(gateway, b"", "X-One: 1", "x-ONE: 2", "X_Under: \xe9", "Accept:  a , b ")
    headers = event["headers"]
    assert isinstance(headers, dict)
    assert headers["x-one"] == "1,2"
    assert headers["x_under"] == "é"
    assert headers["accept"] == "a , b"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])


def test_a_folded_header_is_one_line(gateway: Gateway) -> None:
    headers = post(gateway, b"", "X-Folded: a\r\n\t b")["headers"]
    assert isinstance(headers, dict)
    assert headers["x-folded"] == "a b"


def test_a_multipart_body_is_a_body_like_any_other(gateway: Gateway) -> None:
    event = post(gateway, b"--x--", "Content-Type: multipart/form-data; boundary=x")
    assert b64decode(str(event["body"])) == b"--x--"


def test_cookies_are_separate_from_the_headers(gateway: Gateway) -> None:
    event = post(gateway, b"", "Cookie: a=1; b=2", "Cookie: c=3")
    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert isinstance(event["headers"], dict)
    assert "cookie" not in event["headers"]


def test_hop_by_hop_headers_are_not_forwarded(gateway: Gateway) -> None:
    event = post(gateway, b"x", "Connection: close", "TE: trailers", "Expect: 100-continue")
    assert isinstance(event["headers"], dict)
    assert not {"connection", "te", "expect", "transfer-encoding"} & set(event["headers"])


def test_the_query_string_is_kept_raw_and_read_with_commas(gateway: Gateway) -> None:
    event = get(gateway, "/any?a=1&a=2&b=%C3%A9+x&c&d=")
    assert event["rawQueryString"] == "a=1&a=2&b=%C3%A9+x&c&d="
    assert event["queryStringParameters"] == {"a": "1,2", "b": "é x", "c": "", "d": ""}


def test_without_a_query_string_there_are_no_parameters(gateway: Gateway) -> None:
    event = get(gateway, "/any")
    assert event["rawQueryString"] == ""
    assert not {"queryStringParameters", "pathParameters", "cookies"} & set(event)


def test_the_path_is_decoded_once_and_its_parameters_with_it(gateway: Gateway) -> None:
    event = get(gateway, "/things/CP%201%2525%C3%A9?x=%2F")
    assert event["rawPath"] == "/things/CP 1%25é"
    assert event["pathParameters"] == {"id": "CP 1%25é"}
    assert event["routeKey"] == "GET /things/{id}"


def test_the_context_describes_request_and_caller(gateway: Gateway) -> None:
    context = get(gateway, "/any")["requestContext"]
    assert isinstance(context, dict)
    assert context["http"] == {
        "method": "GET",
        "path": "/any",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "",
    }
    assert (context["stage"], context["routeKey"]) == ("$default", "ANY /any")
    assert context["authorizer"]["iam"]["userArn"] == "arn:aws:iam::000000000000:user/local"
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert context["timeEpoch"] > 1_700_000_000_000
    assert context["requestId"]


def test_a_route_without_an_authorizer_names_no_caller(gateway: Gateway) -> None:
    context = get(gateway, "/things/1/parts")["requestContext"]
    assert isinstance(context, dict)
    assert "authorizer" not in context


def test_an_absolute_target_is_its_path(gateway: Gateway) -> None:
    assert get(gateway, "http://elsewhere/any?a=1")["rawPath"] == "/any"


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("POST", "/any", "Post"),
        ("DELETE", "/any", "Echo"),
        ("FOO", "/any", "Echo"),
        ("GET", "/things/known", "Known"),
        ("GET", "/things/other", "Echo"),
        ("GET", "/files/a/b/c", "Echo"),
    ],
)
def test_the_most_specific_route_wins(gateway: Gateway, method: str, path: str, function: str) -> None:
    exchange(gateway.url, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert gateway.called == [function]


@pytest.mark.parametrize(
    "line",
    [
        "GET /",
        "GET /any/",
        "GET /ANY",
        "GET //any",
        "GET /things/",
        "GET /things/a%2Fb",
        "POST /things/1",
        "OPTIONS *",
    ],
)
def test_an_unrouted_path_is_the_gateways_own_404(gateway: Gateway, line: str) -> None:
    answer = exchange(gateway.url, f"{line} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert (answer.status, answer.body) == (404, b'{"message": "Not Found"}')
    assert gateway.called == []

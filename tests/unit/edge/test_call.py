"""Reading an HTTP API event: deadline, caller, trace, body."""

from __future__ import annotations

import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest

from common.edge.call import Call

SLACK = 0.5  # seconds that reading an event may take on a busy machine


@dataclass
class Context:
    left: float = 29.0
    aws_request_id: str = "3f2504e0"
    function_name: str = "ConnectFunction"
    function_version: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


def call(left: float = 29.0, epoch: object = None, **event: Any) -> Call:
    about = {"http": {"method": "POST"}, "timeEpoch": epoch, **event.pop("about", {})}
    return Call.of({"rawPath": "/", "requestContext": about, **event}, Context(left))


def ago(seconds: float) -> int:
    return int((time.time() - seconds) * 1000)


@pytest.mark.parametrize(
    ("left", "since", "remaining"),
    [
        (29.0, 0.0, 28.7),  # both agree; 0.3 s are kept for the runtime
        (29.0, 5.0, 23.7),  # a cold start took 5 s: the gateway's clock decides
        (60.0, 0.0, 28.7),  # the gateway does not wait for a longer function
        (3.0, 0.0, 2.7),  # a shorter function decides
        (3.0, 14.0, 2.7),
        (29.0, 14.0, 14.7),
        (29.0, -14.0, 28.7),  # a gateway whose clock is ahead does not extend the function's time
        (29.0, 16.0, 28.7),  # clocks that differ by more than 15 s: ignored
        (29.0, -16.0, 28.7),
        (29.0, 10.0**9, 28.7),
    ],
)
def test_the_deadline_is_the_earlier_one_of_function_and_gateway(
    left: float, since: float, remaining: float
) -> None:
    found = call(left, ago(since)).deadline.remaining()
    assert remaining - SLACK < found <= remaining + 0.002


@pytest.mark.parametrize("epoch", [None, "soon", [], {}, True])
def test_an_event_without_the_gateways_time_has_the_deadline_of_the_function(epoch: object) -> None:
    assert 28.7 - SLACK < call(epoch=epoch).deadline.remaining() <= 28.7


def test_a_call_that_starts_too_late_has_no_time_left() -> None:
    assert call(left=0.2, epoch=ago(0)).deadline.remaining() == 0


def test_the_lease_ends_with_the_invocation_regardless_of_the_gateway() -> None:
    for left, since in ((29.0, 14.0), (60.0, 0.0), (3.0, 0.0)):
        before = time.time()
        lease = call(left, ago(since)).lease
        assert before + left <= lease <= time.time() + left


ROLE = "arn:aws:sts::111122223333:assumed-role/back-office"
USER = "arn:aws:iam::111122223333:user/alice"


@pytest.mark.parametrize(
    ("authorizer", "caller"),
    [
        ({"iam": {"userArn": USER, "callerId": "AIDA"}}, USER),
        ({"iam": {"userArn": f"{ROLE}/session-1", "callerId": "AROA:session-1"}}, ROLE),
        ({"iam": {"userArn": f"{ROLE}/another@session", "callerId": "AROA:x"}}, ROLE),
        (
            {"iam": {"userArn": "arn:aws-cn:sts::1:assumed-role/path/role/s"}},
            "arn:aws-cn:sts::1:assumed-role/path/role",
        ),
        ({"iam": {"callerId": "local"}}, "local"),
        (
            {"jwt": {"claims": {"iss": "https://id.example", "sub": "u1"}, "scopes": None}},
            "https://id.example#u1",
        ),
        (
            {"jwt": {"claims": {"iss": "https://id.example", "sub": "u1", "client_id": "app"}}},
            "https://id.example#app",
        ),
        (
            {"jwt": {"claims": {"iss": "https://id.example", "azp": "spa", "sub": "u1"}}},
            "https://id.example#spa",
        ),
        ({"lambda": {"caller": "10.0.0.9"}}, "10.0.0.9"),
        ({"lambda": {}}, "anonymous"),
        ({"lambda": None, "iam": None, "jwt": None}, "anonymous"),
        ({}, "anonymous"),
        (None, "anonymous"),
    ],
)
def test_the_caller_is_the_same_for_each_request_of_a_sender(authorizer: object, caller: str) -> None:
    assert call(about={"authorizer": authorizer}).caller == caller


def test_two_issuers_with_the_same_subject_are_two_callers() -> None:
    first, second = (
        call(about={"authorizer": {"jwt": {"claims": {"iss": issuer, "sub": "1"}}}}).caller
        for issuer in ("https://a.example", "https://b.example")
    )
    assert first != second


def test_the_length_of_a_caller_is_limited() -> None:
    assert len(call(about={"authorizer": {"iam": {"userArn": "x" * 5000}}}).caller) == 512


TRACE = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "5759e988bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("header", "trace_id", "trace_parent"),
    [
        (f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-01"),
        (f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=0", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-00"),
        (f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=?", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-00"),
        (f"Root={TRACE};Parent=53995c3f42cd8ad8", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-00"),
        (f"Self=1-5759e988-aaaa;Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1|68fd508a:5", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-01"),
        (f"Root={TRACE};Lineage=x;Parent=53995c3f42cd8ad8;Sampled=1", TRACE, f"00-{PARENT}-53995c3f42cd8ad8-01"),
        (f"Root={TRACE}", TRACE, None),
        (f"Root={TRACE};Sampled=1", TRACE, None),
        ("", None, None),
        ("Root=1-xyz", None, None),
        ("Root=1-5759e988-bd862e3f\r\nX-Evil: 1", None, None),
        ("5759e988", None, None),
    ],
)  # fmt: skip
def test_the_trace_of_x_ray_is_converted_to_traceparent(
    header: str, trace_id: str | None, trace_parent: str | None
) -> None:
    found = call(headers={"X-Amzn-Trace-Id": header})
    assert (found.trace_id, found.trace_parent) == (trace_id, trace_parent)


def test_lambdas_trace_has_priority_over_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE}")
    assert call(headers={"x-amzn-trace-id": "Root=1-00000000-000000000000000000000000"}).trace_id == TRACE


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({}, b""),
        ({"body": None}, b""),
        ({"body": '{"a":"ä"}'}, '{"a":"ä"}'.encode()),
        ({"body": b64encode(b"\xff\x00a").decode(), "isBase64Encoded": True}, b"\xff\x00a"),
        ({"body": "\ud83d"}, b"\xed\xa0\xbd"),  # not UTF-8: the reader rejects it
        ({"body": "ä", "isBase64Encoded": True}, "ä".encode()),
    ],
)
def test_the_body_as_bytes(event: dict[str, Any], body: bytes) -> None:
    assert call(**event).body == body


def test_an_empty_event_is_read() -> None:
    found = Call.of({}, Context())
    assert (found.headers, found.query, found.body, found.caller) == ({}, {}, b"", "anonymous")


def test_header_names_are_read_in_any_letter_case() -> None:
    assert call(headers={"Content-TYPE": "text/xml"}).headers == {"content-type": "text/xml"}

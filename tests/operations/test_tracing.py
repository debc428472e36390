"""The trace id of the gateway is in the request to the OCPP server, in the log lines and in the attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infrastructure.conftest import of_type
from tests.integration.calling import Caller, request
from tests.operations.conftest import captured_lines, messages
from tests.operations.test_log_lines import TRACE, post

if TYPE_CHECKING:
    from tests.integration.misbehaving import Misbehaving


@pytest.mark.parametrize("given", ["header", "environment"])
def test_the_trace_id_is_in_the_request_to_the_server_the_attempt_and_every_log_line(
    caller: Caller, server: Misbehaving, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    if given == "environment":  # where Lambda's runtime sets it
        monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    members = request(server.port)
    with captured_lines() as lines:
        post(caller, members, **({"x-amzn-trace-id": TRACE} if given == "header" else {}))
    (received,) = server.requests
    assert received.headers["traceparent"] == "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    trace_id = "1-5759e988-bd862e3fe1be46a994272793"
    assert caller.get(members["id"]).body["traceId"] == trace_id
    assert {line["traceId"] for line in messages(lines)} == {trace_id}


def test_without_a_trace_none_is_created(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    with captured_lines():
        post(caller, members)
    assert "traceparent" not in server.requests[0].headers
    assert caller.get(members["id"]).body["traceId"] is None


def test_tracing_is_active(resources: dict[str, Any]) -> None:
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["TracingConfig"] == {"Mode": "Active"}

"""The native dialect reads every answer that docs/native-link.openapi.yaml allows, and every other leaves the outcome unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from charger_link import (
    ChargerUnknown,
    Command,
    LinkError,
    LinkServers,
    Outcome,
    OutcomeUnknown,
    ServerBusy,
    ServerFailed,
    ServerRefused,
)
from charger_link.dialects.native import start, status
from charger_link.dialects.registry import REPEATABLE, load
from charger_link.exchange import ServerReply

DESCRIPTION = yaml.safe_load((Path(__file__).parents[3] / "docs/native-link.openapi.yaml").read_text())
PATHS = DESCRIPTION["paths"]
START = PATHS["/api/v1/chargers/{chargerId}/connections/{id}"]["put"]
STATUS = PATHS["/api/v1/chargers/{chargerId}"]["get"]
SCHEMAS = DESCRIPTION["components"]["schemas"]
PROBLEM = "application/problem+json"

# The exchange handles 401: it sends the request again with the secret as it is now.
ERRORS: dict[str, type[LinkError]] = {
    "400": ServerFailed,
    "404": ChargerUnknown,
    "405": ServerFailed,
    "409": ServerFailed,
    "413": ServerFailed,
    "500": OutcomeUnknown,
    "503": ServerBusy,
    "504": OutcomeUnknown,
}


class FakeExchange:
    """An exchange that returns one reply, and keeps the last request."""

    def __init__(
        self, code: int, body: Any, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self._reply = ServerReply(code, kind, headers or {}, body, json.dumps(body))
        self.sent: tuple[Any, ...] = ()
        self.doubt = False

    def send(self, method: str, path: str, payload: object = None, *, wait: bool = False) -> ServerReply:
        self.sent = (method, path, payload, wait)
        return self._reply


def command(charger: str = "CP-1", token: str | None = "04A2B3C4", connector: int | None = 1) -> Command:
    servers = LinkServers.parse('[{"network": "10.0.0.0/8", "ports": [8080]}]')
    return Command(
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301", charger, token, connector, servers.find("10.0.0.5", 8080)
    )


def body(**changes: Any) -> dict[str, Any]:
    return {
        "chargerId": "CP-1",
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Accepted",
        "info": None,
        **changes,
    }


def failure(call: Any, exchange: FakeExchange) -> LinkError:
    with pytest.raises(LinkError) as raised:
        call(command(), exchange)
    return raised.value


def examples(operation: dict[str, Any]) -> list[dict[str, Any]]:
    found = operation["responses"]["200"]["content"]["application/json"]["examples"]
    return [example["value"] for example in found.values()]


OUTCOMES = {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED, "Unavailable": Outcome.OFFLINE}


@pytest.mark.parametrize("replied", examples(START), ids=lambda replied: replied["status"])
def test_each_example_of_a_start_is_read(replied: dict[str, Any]) -> None:
    answer = start(command(replied["chargerId"]), FakeExchange(200, replied))  # type: ignore[arg-type]
    assert answer.outcome is OUTCOMES[replied["status"]]
    read = (answer.status, answer.connector_id, answer.error_code, answer.info)
    assert read == (replied["status"], replied["connectorId"], replied["errorCode"], replied["info"])


@pytest.mark.parametrize("replied", examples(STATUS), ids=lambda replied: replied["status"])
def test_each_example_of_a_status_is_read(replied: dict[str, Any]) -> None:
    answer = status(command(replied["chargerId"], token=None), FakeExchange(200, replied))  # type: ignore[arg-type]
    assert answer.outcome is (Outcome.OFFLINE if replied["info"] == "not-connected" else Outcome.STATUS)
    assert answer.status == replied["status"]


@pytest.mark.parametrize("word", SCHEMAS["Connected"]["allOf"][1]["properties"]["status"]["enum"])
def test_each_status_after_a_start_has_its_outcome(word: str) -> None:
    answer = start(command(), FakeExchange(200, body(status=word)))  # type: ignore[arg-type]
    assert (answer.status, answer.outcome) == (word, OUTCOMES.get(word, Outcome.ACCEPTED))


@pytest.mark.parametrize("word", SCHEMAS["Status"]["allOf"][1]["properties"]["status"]["enum"])
def test_each_status_is_returned(word: str) -> None:
    answer = status(command(token=None), FakeExchange(200, body(status=word)))  # type: ignore[arg-type]
    assert (answer.status, answer.outcome) == (word, Outcome.STATUS)


@pytest.mark.parametrize("code", SCHEMAS["Body"]["properties"]["errorCode"]["enum"])
def test_each_error_code_is_returned(code: str) -> None:
    assert start(command(), FakeExchange(200, body(errorCode=code))).error_code == code  # type: ignore[arg-type]


@pytest.mark.parametrize(("call", "operation"), [(start, START), (status, STATUS)], ids=["start", "status"])
def test_each_error_that_is_described_is_known_for_what_it_means(
    call: Any, operation: dict[str, Any]
) -> None:
    codes = set(operation["responses"]) - {"200", "401"}
    assert codes <= set(ERRORS)
    for code in codes:
        error = failure(call, FakeExchange(int(code), {"type": "x"}, PROBLEM))
        assert type(error) is ERRORS[code], code


@pytest.mark.parametrize("call", [start, status])
@pytest.mark.parametrize("url", ["/problems/no-such-resource", "https://csms.test/problems/no-such-resource"])
def test_a_404_that_says_so_is_a_wrong_base_path_and_no_unknown_charger(call: Any, url: str) -> None:
    error = failure(call, FakeExchange(404, {"type": url}, PROBLEM))
    assert type(error) is ServerFailed
    assert "basePath" in error.detail


@pytest.mark.parametrize("replied", [None, [], {}, {"type": None}, {"type": "about:blank"}, {"type": 404}])
def test_a_404_without_a_type_is_an_unknown_charger(replied: Any) -> None:
    assert type(failure(start, FakeExchange(404, replied, PROBLEM))) is ChargerUnknown


def test_the_description_has_the_404_of_an_unknown_charger() -> None:
    example = DESCRIPTION["components"]["responses"]["NotFound"]["content"][PROBLEM]["example"]
    assert type(failure(start, FakeExchange(404, example, PROBLEM))) is ChargerUnknown


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("7", 7),
        ("0", 1),
        (None, 5),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 5),
        ("9" * 9, 3600),
        ("-1", 5),
        ("٧", 5),
    ],
)
def test_busy_has_the_wait_before_a_retry(given: str | None, wait: int) -> None:
    headers = {} if given is None else {"retry-after": given}
    for code in (429, 503):
        assert failure(start, FakeExchange(code, {}, PROBLEM, headers)).retry_after == wait


@pytest.mark.parametrize(
    "code", [*range(201, 227), 300, 301, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503, 504, 599]
)
def test_an_answer_that_is_no_problem_document_comes_from_something_in_between(code: int) -> None:
    for kind in ("text/html", "application/json", ""):
        assert type(failure(start, FakeExchange(code, {"type": "x"}, kind))) is OutcomeUnknown


def test_credentials_that_do_not_allow_the_request_are_server_refused() -> None:
    error = failure(start, FakeExchange(403, {}, PROBLEM))
    assert isinstance(error, ServerRefused)
    assert "LinkServers" in error.detail


@pytest.mark.parametrize(
    "replied",
    [
        None, [], "Accepted", 5, {}, {"chargerId": "CP-1"},
        body(chargerId="CP-2"), body(chargerId="cp-1"), body(chargerId=None), body(chargerId=["CP-1"]),
        body(status=None), body(status=1), body(status=["Accepted"]), body(status=""), body(status="accepted"),
        body(status="Queued"), body(status="Available"), body(status="Faulted"),
        body(connectorId=None), body(connectorId="1"), body(connectorId=True), body(connectorId=1.0),
        body(connectorId=-1), body(connectorId=2**31),
        body(errorCode=None), body(errorCode=0), body(errorCode="Bad"), body(errorCode=[]),
        body(info=5), body(info=["x"]), body(info={}),
    ],
)  # fmt: skip
def test_whatever_is_not_a_start_s_answer_leaves_it_unknown(replied: Any) -> None:
    error = failure(start, FakeExchange(200, replied))
    assert type(error) is OutcomeUnknown
    assert error.may_have_started


def test_the_answer_to_a_start_is_not_a_status() -> None:
    assert type(failure(status, FakeExchange(200, body(status="Accepted")))) is OutcomeUnknown


def test_members_that_may_be_absent_have_defaults_and_others_are_ignored() -> None:
    answer = start(command(), FakeExchange(200, {"chargerId": "CP-1", "status": "Accepted", "more": {}}))  # type: ignore[arg-type]
    assert (answer.connector_id, answer.error_code, answer.info) == (0, "NoError", None)


@pytest.mark.parametrize(
    ("charger", "segment"),
    [
        ("CP-1", "CP-1"),
        ("a/b", "a%2Fb"),
        ("..%2f", "..%252f"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("Zähler🚗", "Z%C3%A4hler%F0%9F%9A%97"),
    ],
)
def test_the_charger_is_one_segment_of_the_path(charger: str, segment: str) -> None:
    exchange = FakeExchange(200, body(chargerId=charger))
    start(command(charger), exchange)  # type: ignore[arg-type]
    path = f"/api/v1/chargers/{segment}/connections/3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    assert exchange.sent == ("PUT", path, {"tokenId": "04A2B3C4", "connectorId": 1}, True)
    exchange = FakeExchange(200, body(chargerId=charger, status="Available"))
    status(command(charger, token=None, connector=None), exchange)  # type: ignore[arg-type]
    assert exchange.sent == ("GET", f"/api/v1/chargers/{segment}", None, True)


def test_a_status_request_names_the_connector() -> None:
    exchange = FakeExchange(200, body(status="Available"))
    status(command(token=None, connector=2), exchange)  # type: ignore[arg-type]
    assert exchange.sent[1] == "/api/v1/chargers/CP-1?connectorId=2"


def test_a_start_without_a_connector_names_none() -> None:
    exchange = FakeExchange(200, body())
    start(command(connector=None), exchange)  # type: ignore[arg-type]
    assert exchange.sent[2] == {"tokenId": "04A2B3C4"}


def test_the_repeatable_dialects_are_those_that_declare_it() -> None:
    assert "native" in REPEATABLE
    for name in REPEATABLE:
        assert load(name).repeatable

"""The dialects' results for replies that no simulator sends, and for arbitrary ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charger_link import (
    Answer,
    Command,
    LinkError,
    LinkServers,
    Outcome,
    OutcomeUnknown,
    Published,
    ServerRefused,
)
from charger_link.dialects import citrineos as citrineos_module
from charger_link.dialects import registry
from charger_link.dialects.registry import CALLS_BACK, REPEATABLE, load
from charger_link.exchange import ServerReply
from charger_link.servers import LinkServersError

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECTS = ("steve", "citrineos", "ocpp-core", "ocpp-cs")
CALLBACK_URL = "https://charge.example.com/api/v1/ocpp/callbacks/id/1800000000/ab?c=d&e=ä"


class Exchange:
    """Returns the next of these replies for each request. The last one is repeated."""

    def __init__(self, *replies: ServerReply) -> None:
        self._replies = list(replies)
        self.sent: list[tuple[str, str, Any]] = []

    def send(self, method: str, path: str, payload: object = None, **_: object) -> ServerReply:
        self.sent.append((method, path, payload))
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def reply(status: int, body: Any = None, kind: str = "application/json") -> ServerReply:
    text = "" if body is None else json.dumps(body)
    return ServerReply(status, kind if text else "", {}, body, text)


def ocpp_cs_error(status: int, message: str) -> ServerReply:
    """Return an error of ocpp-cs."""
    return reply(status, {"error": {"code": status, "message": message}})


def command(name: str, **changes: Any) -> Command:
    entry = {"network": "10.0.0.0/8", "ports": [8080], "dialect": name, **changes.pop("entry", {})}
    server = LinkServers.parse(json.dumps([entry])).find("10.0.0.5", 8080)
    given: dict[str, Any] = {"charger_id": "CP/1 ä", "token": "TAG1", "connector": 1} | changes
    return Command(
        id="3f2504e0-4f89-11d3-9a0c-0305e82c3301", server=server, callback_url=CALLBACK_URL, **given
    )


def start(name: str, *replies: ServerReply, **changes: Any) -> Answer | Published | LinkError:
    """Return the dialect's answer to a start, or its error. As in the link, any other exception becomes `OutcomeUnknown`."""
    try:
        return load(name).start(command(name, **changes), Exchange(*replies))
    except LinkError as error:
        return error
    except Exception:  # noqa: BLE001 - as the link does
        return OutcomeUnknown("unexpected", "")


@pytest.fixture(autouse=True)
def _no_versions_known() -> Iterator[None]:
    citrineos_module._versions.clear()
    yield
    citrineos_module._versions.clear()


def test_only_the_native_dialect_may_repeat_a_start() -> None:
    names = ("native", *DIALECTS)
    assert {name for name in names if load(name).repeatable} == REPEATABLE == {"native"}


@pytest.mark.parametrize(
    ("name", "base"), [("steve", "/steve/api/v1"), ("citrineos", ""), ("ocpp-core", "/API"), ("ocpp-cs", "")]
)
def test_an_entry_takes_defaults_from_its_dialect(name: str, base: str) -> None:
    for spelling in (name, name.replace("-", "_")):
        entry = command(spelling).server.entry
        assert (entry.dialect, entry.base, entry.start_connector) == (
            name,
            base,
            registry.load(name).default_connector,
        )
    assert command(name, entry={"basePath": "/x"}).server.entry.base == "/x"
    assert command(name, entry={"connector": 3}).server.entry.start_connector == 3


@pytest.mark.parametrize("name", DIALECTS)
def test_none_as_connector_is_rejected_if_the_server_needs_one(name: str) -> None:
    if registry.load(name).needs_connector:
        with pytest.raises(LinkServersError, match="cannot start without a connector"):
            command(name, entry={"connector": "none"})
    else:
        assert command(name, entry={"connector": "none"}).server.entry.start_connector is None


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        (
            "steve",
            (
                "POST",
                "/operations/RemoteStartTransaction",
                {"chargeBoxIdList": ["CP/1 ä"], "idTag": "TAG1", "connectorId": 1},
            ),
        ),
        ("ocpp-core", ("GET", "/StartTransaction/CP%2F1%20%C3%A4/1/TAG1", None)),
        (
            "ocpp-cs",
            (
                "POST",
                "/api/v1/ChargePoint/CP%2F1%20%C3%A4/RemoteStartTransaction",
                {"idTag": "TAG1", "connectorId": 1},
            ),
        ),
    ],
)
def test_the_request_follows_the_servers_api(name: str, sent: tuple[str, str, Any]) -> None:
    exchange = Exchange(reply(200, {"status": "Accepted"}))
    if name == "steve":
        exchange = Exchange(
            reply(200, {"successResponses": [{"chargeBoxId": "CP/1 ä", "response": "Accepted"}]})
        )
    answer = load(name).start(command(name), exchange)
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.ACCEPTED
    assert exchange.sent == [sent]


@pytest.mark.parametrize(("tenant", "connector"), [(1, 1), (7, None)])
def test_citrineos_receives_the_version_in_the_path_and_everything_else_in_the_query(
    tenant: int, connector: int | None
) -> None:
    wrong_version = "Requested protocol: 'ocpp1.6', connection protocol: 'ocpp2.0.1' for identifier: '1:CP'"
    exchange = Exchange(
        reply(200, [{"success": False, "payload": wrong_version}]), reply(200, [{"success": True}])
    )
    sent = command("citrineos", connector=connector, entry={"tenant": tenant})
    assert load("citrineos").start(sent, exchange) == Published()
    (_, first, payload_16), (_, second, payload_201) = exchange.sent
    assert urlsplit(first).path == "/ocpp/1.6/evdriver/remoteStartTransaction"
    assert urlsplit(second).path == "/ocpp/2.0.1/evdriver/requestStartTransaction"
    for path in (first, second):
        query = {"identifier": ["CP/1 ä"], "tenantId": [str(tenant)], "callbackUrl": [CALLBACK_URL]}
        assert parse_qs(urlsplit(path).query, strict_parsing=True) == query
    assert payload_16 == {"idTag": "TAG1"} | ({"connectorId": connector} if connector else {})
    assert payload_201 == {
        "idToken": {"idToken": "TAG1", "type": "Central"},
        "remoteStartId": payload_201["remoteStartId"],
    } | ({"evseId": connector} if connector else {})
    assert 1 <= payload_201["remoteStartId"] <= 0x7FFFFFFF


def other_version(spoken: str, requested: str = "1.6") -> ServerReply:
    why = f"Requested protocol: 'ocpp{requested}', connection protocol: 'ocpp{spoken}' for identifier: '1:CP'"
    return reply(200, [{"success": False, "payload": why}])


@pytest.mark.parametrize(
    ("name", "replies", "expected"),
    [
        ("steve", [reply(200, [])], "OutcomeUnknown"),
        ("steve", [reply(200, {"taskFinished": True})], "OutcomeUnknown"),
        ("steve", [reply(200, {"successResponses": [{"chargeBoxId": "another", "response": "Accepted"}]})], "OutcomeUnknown"),
        ("steve", [reply(200, {"successResponses": [{"chargeBoxId": "CP/1 ä", "response": "Perhaps"}]})], "OutcomeUnknown"),
        ("steve", [reply(200, {"successResponses": [{"chargeBoxId": "CP/1 ä"}]})], "OutcomeUnknown"),
        ("steve", [reply(200, {"errorResponses": [{"chargeBoxId": "CP/1 ä", "errorCode": 5}]})], "OutcomeUnknown"),
        ("steve", [reply(400, {"message": "Something else"})], "OutcomeUnknown"),
        ("steve", [reply(400, {"message": 5})], "OutcomeUnknown"),
        ("steve", [reply(500, {"message": "No stations are eligible for communication."})], "OutcomeUnknown"),
        ("steve", [reply(403, {"message": "Forbidden"})], "OutcomeUnknown"),
        ("steve", [reply(302)], "OutcomeUnknown"),
        ("citrineos", [reply(200, {"success": True})], "OutcomeUnknown"),
        ("citrineos", [reply(200, [{"success": "true"}])], "OutcomeUnknown"),
        ("citrineos", [reply(200, [{"success": True}, {"success": True}])], "OutcomeUnknown"),
        ("citrineos", [reply(200, [])], "OutcomeUnknown"),
        ("citrineos", [reply(200, [{"success": False, "error": {}}])], "OutcomeUnknown"),
        ("citrineos", [reply(200, [{"success": False, "payload": None}])], "OutcomeUnknown"),
        ("citrineos", [reply(200, [{"success": False, "payload": "Channel closed"}])], "ServerBusy"),
        ("citrineos", [reply(200, [{"success": False, "payload": "Channel closed by somebody"}])], "OutcomeUnknown"),
        ("citrineos", [reply(500, {"statusCode": 500, "message": "Channel closed"})], "ServerBusy"),
        ("citrineos", [reply(502, {"statusCode": 502, "message": "Channel closed"})], "OutcomeUnknown"),
        ("citrineos", [other_version("2.0.1"), reply(200, [{"success": False, "payload": "Channel closed"}])], "ServerBusy"),
        ("citrineos", [reply(200, [{"success": False, "payload": "The queue is down"}])], "OutcomeUnknown"),
        ("citrineos", [reply(400, {"statusCode": 400, "code": "FST_ERR_VALIDATION"})], "ServerFailed"),
        ("citrineos", [reply(400, {"statusCode": 400})], "OutcomeUnknown"),
        ("citrineos", [reply(403, {"message": "Forbidden"})], "ServerRefused"),
        ("citrineos", [reply(500, {"message": "x"})], "OutcomeUnknown"),
        ("citrineos", [other_version("2.1")], "rejected not-supported OCPP 2.1"),
        ("citrineos", [other_version("2.0.1"), other_version("1.6", "2.0.1")], "ServerFailed"),
        ("ocpp-core", [reply(200, {"status": "Perhaps"})], "OutcomeUnknown"),
        ("ocpp-core", [reply(200, ["Accepted"])], "OutcomeUnknown"),
        ("ocpp-core", [reply(200)], "OutcomeUnknown"),
        ("ocpp-core", [reply(404, {"message": "no route"})], "OutcomeUnknown"),
        ("ocpp-core", [reply(400, {"message": "a proxy's"})], "OutcomeUnknown"),
        ("ocpp-core", [reply(400)], "ServerFailed"),
        ("ocpp-core", [reply(500)], "OutcomeUnknown"),
        ("ocpp-cs", [reply(200, {"status": ["Accepted"]})], "OutcomeUnknown"),
        ("ocpp-cs", [reply(200, {"error": True, "errorCode": "NotImplemented"})], "rejected not-supported NotImplemented"),
        ("ocpp-cs", [reply(200, {"error": True, "errorCode": "GenericError", "status": "Accepted"})], "OutcomeUnknown"),
        ("ocpp-cs", [reply(400, {"error": {"code": 400, "message": "Not found required key: idTag (IdToken)"}})], "ServerFailed"),
        ("ocpp-cs", [reply(400, {"error": {"code": 400, "message": "GenericError: Charge Point not connected."}})], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "Charge Point CP/1 ä not connected.")], "offline not-connected"),
        ("ocpp-cs", [ocpp_cs_error(400, "Charge Point not connected.")], "offline not-connected"),
        ("ocpp-cs", [ocpp_cs_error(400, "Charge Point CP/1 not connected.")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "GenericError: Charge Point CP/1 ä not connected.")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "At /idTag of \"x\" - instance is too long as per maxLength:20\n")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "At  of {\"idTag\":\" - required property 'idToken' not found in object\"} - x\n")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "At  of {} - required property 'remoteStartId' not found in object\n"), reply(200, {"status": "Accepted"})],
         "accepted None"),
        ("ocpp-cs", [reply(400, "plain text")], "OutcomeUnknown"),
        ("ocpp-cs", [reply(403, {"error": {"code": 403, "message": "expired"}})], "ServerRefused"),
        ("ocpp-cs", [reply(404, "<h1>Not Found</h1>", "text/html")], "OutcomeUnknown"),
        ("ocpp-cs", [reply(503, {"error": {"code": 503, "message": "Charge point did not respond within 30s"}})], "OutcomeUnknown"),
        ("ocpp-cs", [reply(503, "upstream is gone", "text/plain")], "OutcomeUnknown"),
        ("ocpp-cs", [reply(502)], "OutcomeUnknown"),
        ("ocpp-cs", [reply(200, {"status": "sent", "uniqueId": "1f"})], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(503, "Station unreachable: Transport endpoint is not connected")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(404, "Unknown API command")], "ServerFailed"),
        ("ocpp-cs", [ocpp_cs_error(400, "signature verification failed: invalid signature")], "OutcomeUnknown"),
        ("ocpp-cs", [ocpp_cs_error(400, "Missing required field 'idToken' for RequestStartTransaction")], "ServerFailed"),
        ("ocpp-cs", [ocpp_cs_error(400, "Missing required field 'idToken' for RequestStartTransaction"), reply(200, {"status": "Accepted"})],
         "accepted None"),
    ],
)  # fmt: skip
def test_an_unusual_reply_has_its_outcome(name: str, replies: list[ServerReply], expected: str) -> None:
    result = start(name, *replies)
    if isinstance(result, Answer):
        assert f"{result.outcome} {result.info}" == expected
    else:
        assert type(result).__name__ == expected


def test_a_token_too_long_for_ocpp_16_is_neither_sent_nor_truncated() -> None:
    exchange = Exchange(reply(200))
    answer = load("steve").start(command("steve", token="x" * 21), exchange)
    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.info, exchange.sent) == (Outcome.REJECTED, "token-too-long", [])


@pytest.mark.parametrize(
    "refusal",
    [
        "Invalid key: idToken",
        "Not found required key: idTag (IdToken)",
        "Missing required field 'idTag' for RemoteStartTransaction",
        "At  of {\"connectorId\":1} - required property 'idTag' not found in object\n",
    ],
)
def test_ocpp_cs_receives_such_a_token_in_a_field_that_16_does_not_have(refusal: str) -> None:
    exchange = Exchange(ocpp_cs_error(400, refusal))
    answer = load("ocpp-cs").start(command("ocpp-cs", token="x" * 21), exchange)
    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.info) == (Outcome.REJECTED, "token-too-long")
    ((_, _, payload),) = exchange.sent
    assert payload["idToken"] == {"idToken": "x" * 21, "type": "Central"}
    assert "idTag" not in payload


@pytest.mark.parametrize(
    "message",
    [
        "invalid token supplied",
        "Not found provider by Client ID.",
        "Token doesn't contain the required issuer.",
        "signature verification failed: invalid signature",
        "unknown audience: another",
    ],
)
def test_an_invalid_api_token_that_ocpp_cs_reports_as_a_bad_request_is_server_refused(message: str) -> None:
    assert type(start("ocpp-cs", ocpp_cs_error(400, message), entry={"secret": "s"})) is ServerRefused
    ask = load("ocpp-cs").status
    assert ask
    with pytest.raises(ServerRefused):
        ask(command("ocpp-cs", token=None, entry={"secret": "s"}), Exchange(ocpp_cs_error(400, message)))


@pytest.mark.parametrize(
    "entry",
    [
        {"Identity": "CP/1 ä", "Address": "10.0.0.7", "Connection": None},
        {"identity": "CP/1 ä", "address": "10.0.0.7", "connection": None, "statusNotification": None},
    ],
    ids=["older", "since December 2025"],
)
def test_version_1_of_ocpp_cs_may_list_a_charger_that_is_not_connected(entry: dict[str, Any]) -> None:
    listed = {"ChargePointList": [entry]}
    ask = load("ocpp-cs").status
    assert ask
    answer = ask(command("ocpp-cs", token=None), Exchange(reply(200, listed)))
    assert (answer.outcome, answer.info) == (Outcome.OFFLINE, "not-connected")


NAMES = [
    "status",
    "success",
    "payload",
    "successResponses",
    "errorResponses",
    "exceptions",
    "chargeBoxId",
    "response",
    "errorCode",
    "error",
    "message",
    "code",
    "_errorCode",
    "statusInfo",
    "reasonCode",
]
VALUES = ["Accepted", "Rejected", "Timeout", "CP/1 ä", "InternalError", "NotSupported", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", DIALECTS)
@given(status=st.sampled_from([200, 201, 204, 302, 400, 403, 404, 409, 500, 502, 503, 504]), body=JSON)
def test_only_an_answer_of_the_charger_is_an_acceptance(name: str, status: int, body: Any) -> None:
    result = start(name, reply(status, body))
    if isinstance(result, Published):
        assert (name in CALLS_BACK, status) == (True, 200)
        assert body[0]["success"] is True or body == [{"success": False}]
    elif isinstance(result, Answer) and result.outcome is Outcome.ACCEPTED:
        assert status == 200
        assert "Accepted" in (
            body.get("status"), *(one.get("response") for one in body.get("successResponses") or []),
        )  # fmt: skip
    elif isinstance(result, Answer):
        assert result.status in ("Rejected", "Unavailable")


@given(body=JSON)
def test_a_callback_is_an_acceptance_only_with_the_status_accepted(body: Any) -> None:
    try:
        answer = citrineos_module.read_callback(body, 1)
    except OutcomeUnknown:
        return
    if answer.outcome is Outcome.ACCEPTED:
        assert body["status"] == "Accepted"
        assert "_errorCode" not in body
    else:
        assert answer.status == "Rejected"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("ocpp-core", {"not": "a list"}),
        ("ocpp-core", [{"id": "CP/1 ä", "OnlineConnectors": {}}]),
        ("ocpp-core", [{"id": "CP/1 ä", "OnlineConnectors": {"1": {"Status": 0}}}]),
        ("ocpp-core", [{"id": "CP/1 ä", "OnlineConnectors": {"1": {"Status": "Available"}}}]),
        ("ocpp-core", [{"id": "CP/1 ä", "OnlineConnectors": {"2147483648": {"Status": 1}}}]),
        ("ocpp-core", [{"id": "CP/1 ä", "OnlineConnectors": {"-1": {"Status": 1}}}]),
        ("ocpp-cs", "a text"),
        ("ocpp-cs", {"ChargePointList": None}),
        ("ocpp-cs", [{"identity": "CP/1 ä", "connection": {"fd": 7}}]),
        ("ocpp-cs", [{"identity": "CP/1 ä", "connection": {"fd": 7}, "statusNotification": {"status": "Fine"}}]),
        ("ocpp-cs", [{"identity": "CP/1 ä", "connection": {"fd": 7}, "statusNotification": {"status": "Faulted"}}]),
        *(
            ("ocpp-cs", [{"identity": "CP/1 ä", "connection": {"fd": 7}, "statusNotification": last}])
            for last in (  # sent by the charger: an answer may contain only an int32
                {"status": "Faulted", "connectorId": 2**31},
                {"status": "Faulted", "connectorId": -1},
                {"connectorStatus": "Occupied", "evseId": 10**40},
            )
        ),
    ],
)  # fmt: skip
def test_a_missing_or_unknown_status_leaves_the_outcome_unknown(name: str, body: Any) -> None:
    ask = load(name).status
    assert ask
    with pytest.raises(OutcomeUnknown):
        ask(command(name, token=None, connector=None), Exchange(reply(200, body)))


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"status": "Faulted", "errorCode": "GroundFailure", "connectorId": 2}, ("Faulted", "GroundFailure", 2)),
        ({"status": "Faulted", "errorCode": "Vendor", "connectorId": 0}, ("Faulted", "OtherError", 0)),
        ({"connectorStatus": "Occupied", "evseId": 3, "connectorId": 1}, ("Occupied", "NoError", 3)),
    ],
)  # fmt: skip
def test_the_last_statusnotification_of_ocpp_cs_is_read_in_either_version(
    last: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    body = [{"identity": "CP/1 ä", "connection": {"fd": 7}, "statusNotification": last}]
    ask = load("ocpp-cs").status
    assert ask
    answer = ask(command("ocpp-cs", token=None, connector=None), Exchange(reply(200, body)))
    assert (answer.status, answer.error_code, answer.connector_id) == expected

"""Each reply of a server has one answer, with all its fields, or one error, with its kind; and each request is exactly the server's."""

from __future__ import annotations

from typing import Any

import pytest

from charger_link import Answer, Command, LinkError, Outcome, Published
from charger_link.dialects import citrineos, readings
from charger_link.dialects.dialect import Dialect
from charger_link.dialects.registry import NAMES, load
from charger_link.exchange import ServerReply
from charger_link.limits import LIST_LIMIT
from charger_link.ocpp import start_201
from tests.unit.dialects.test_replies import command, ocpp_cs_error, other_version, reply

CHARGER = "CP/1 ä"
LONG = "x" * 21
Expected = Answer | Published | tuple[str, str] | tuple[str, str, int]


class Exchange:
    """Return the next of these replies for each request, or raise it."""

    def __init__(self, *replies: ServerReply | LinkError, doubt: bool = False) -> None:
        self._replies = list(replies)
        self.doubt = doubt
        self.sent: list[tuple[str, str, Any, dict[str, Any]]] = []

    def send(self, method: str, path: str, payload: object = None, **options: Any) -> ServerReply:
        self.sent.append((method, path, payload, options))
        response = self._replies.pop(0)
        if isinstance(response, LinkError):
            raise response
        return response


def result(dialect: Dialect, given: Command, exchange: Exchange) -> Expected:
    """Return the answer, or the type and kind of the error, with its seconds if it has some."""
    call = dialect.start if given.token is not None else dialect.status
    assert call is not None
    try:
        return call(given, exchange)
    except LinkError as error:
        failure = error
    assert failure.detail[0].isupper(), "a sentence for the caller"
    assert failure.detail.endswith(".")
    assert "None" not in failure.detail
    named = (type(failure).__name__, failure.kind)
    return named if failure.retry_after is None else (*named, failure.retry_after)


def rejected(info: str | None, *, early: bool = False, connector: int = 3) -> Answer:
    return Answer(Outcome.REJECTED, "Rejected", connector, "NoError", info, early)


def offline(info: str, connector: int = 3) -> Answer:
    return Answer(Outcome.OFFLINE, "Unavailable", connector, "NoError", info)


ACCEPTED = Answer(Outcome.ACCEPTED, "Accepted", 3, "NoError", None)
REQUIRED = "At  of {} - required property '%s' not found in object\n"
CHARGERS_OWN: list[tuple[Any, Answer | tuple[str, str]]] = [
    ({"status": "Accepted"}, ACCEPTED),
    ({"status": "Rejected"}, rejected("charger-refused")),
    ({"status": "Rejected", "statusInfo": "none"}, rejected("charger-refused")),
    ({"status": "Rejected", "statusInfo": {"reasonCode": 5}}, rejected("charger-refused")),
    ({"status": "Rejected", "statusInfo": {"reasonCode": "NoCable"}}, rejected("charger-refused NoCable")),
    (
        {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidIdToken"}},
        rejected("token-refused InvalidIdToken"),
    ),
    (
        {"status": "Rejected", "statusInfo": {"reasonCode": "TxInProgress"}},
        rejected("connector-busy TxInProgress"),
    ),
    ({"status": "accepted"}, ("OutcomeUnknown", "status")),
    ([], ("OutcomeUnknown", "status")),
]
UNKNOWN = ("OutcomeUnknown", "call-error")
FORBIDDEN = ("ServerRefused", "forbidden")


def steve(kind: str, entry: object) -> ServerReply:
    return reply(200, {"taskFinished": True, kind: [entry]})


def steve_exception(message: str) -> ServerReply:
    return steve("exceptions", {"chargeBoxId": CHARGER, "exceptionMessage": message})


STEVE_ERROR = {"status": 404, "timestamp": 1, "path": "/x"}
STEVE: list[tuple[ServerReply, Expected]] = [
    (steve("successResponses", {"chargeBoxId": CHARGER, "response": "Accepted"}), ACCEPTED),
    (steve("successResponses", {"chargeBoxId": "cp/1 Ä", "response": "Accepted"}), ACCEPTED),
    (
        reply(200, {"successResponses": [5, {"chargeBoxId": "CP/2"}, {"chargeBoxId": CHARGER, "response": "Rejected"}]}),
        rejected("charger-refused"),
    ),
    (
        reply(200, {"successResponses": [{"chargeBoxId": "cp/1 Ä", "response": "Accepted"}, {"chargeBoxId": "CP/2"}]}),
        ("OutcomeUnknown", "charger-silent"),
    ),
    (reply(200, {"successResponses": [], "errorResponses": None}), ("OutcomeUnknown", "charger-silent")),
    (reply(200, {"successResponses": [{"chargeBoxId": 5}]}), ("OutcomeUnknown", "charger-silent")),
    (reply(200, []), ("OutcomeUnknown", "shape")),
    (
        steve("errorResponses", {"chargeBoxId": CHARGER, "errorCode": "NotSupported"}),
        rejected("not-supported NotSupported"),
    ),
    (steve("errorResponses", {"chargeBoxId": CHARGER, "errorCode": "GenericError"}), UNKNOWN),
    (steve_exception("No session context for chargeBoxId 'CP'"), offline("not-connected")),
    (steve_exception("This operation is for one station only"), ("ServerFailed", "several-stations")),
    (steve_exception('Deserialization: [3,"1",{"status":"Perhaps"}]'), ("OutcomeUnknown", "status")),
    (steve_exception('Raw: [4,"1\\"","NotImplemented","",{}]'), rejected("not-supported NotImplemented")),
    (steve_exception('Raw: [4,"1","InternalError","",{}]'), UNKNOWN),
    (steve_exception("something else"), ("OutcomeUnknown", "exception")),
    (reply(400, {"message": "No stations are eligible for communication."}), offline("unknown-or-not-connected")),
    (reply(400, {"message": "Requested OCPP Tag is not eligible"}), rejected("token-refused", early=True)),
    (reply(400, {"message": "This operation is for one station only."}), ("ServerFailed", "several-stations")),
    (reply(400, {"message": "Error understanding the request"}), ("ServerFailed", "unreadable")),
    (reply(400, {"message": "something else"}), ("OutcomeUnknown", "http-400")),
    (ServerReply(302, "", {"location": "/steve/manager/signin;jsessionid=1?x"}, None, ""), ("ServerRefused", "no-credentials")),
    (ServerReply(302, "", {"location": "/steve/manager/signin"}, None, ""), ("ServerRefused", "no-credentials")),
    (ServerReply(302, "", {"location": "https://h/other?/manager/signin"}, None, ""), ("OutcomeUnknown", "http-302")),
    (ServerReply(302, "", {}, None, ""), ("OutcomeUnknown", "http-302")),
    (reply(403, "<p>", "text/html"), ("ServerFailed", "no-such-path")),
    (reply(404, "<p>", "text/html"), ("ServerFailed", "no-such-path")),
    (reply(404, STEVE_ERROR), ("ServerFailed", "no-such-path")),
    (reply(403, STEVE_ERROR), ("OutcomeUnknown", "http-403")),
    (reply(404, {"status": 404, "timestamp": 1}), ("OutcomeUnknown", "http-404")),
    (reply(404, {"status": 404, "path": "/x"}), ("OutcomeUnknown", "http-404")),
    (reply(404, ["timestamp", "path"]), ("OutcomeUnknown", "http-404")),
    (reply(500, "<p>", "text/html"), ("OutcomeUnknown", "http-500")),
]  # fmt: skip
OCPP_CORE: list[tuple[ServerReply, Expected]] = [
    (reply(200, {"status": "Accepted"}), ACCEPTED),
    (reply(200, {"status": "Rejected"}), rejected(None)),
    (reply(200, {"status": "Timeout"}), ("OutcomeUnknown", "charger-silent")),
    (reply(200, {"status": "Perhaps"}), ("OutcomeUnknown", "status")),
    (reply(200, ["Accepted"]), ("OutcomeUnknown", "http-200")),
    (reply(201, {"status": "Accepted"}), ("OutcomeUnknown", "http-201")),
    (reply(404), offline("unknown-or-not-connected")),
    (reply(404, "x"), ("OutcomeUnknown", "http-404")),
    (reply(400), ("ServerFailed", "unreadable")),
    (reply(400, "x"), ("OutcomeUnknown", "http-400")),
]
OCPP_CS: list[tuple[ServerReply, Expected]] = [
    *((reply(200, body), expected) for body, expected in CHARGERS_OWN),
    (reply(200, {"error": True, "errorCode": "SecurityError"}), rejected("not-supported SecurityError")),
    (reply(200, {"error": "yes", "status": "Accepted"}), ACCEPTED),
    (reply(200, {"error": True}), UNKNOWN),
    (ocpp_cs_error(400, "Not found Charge Point by Identity."), ("ChargerUnknown", "charger-unknown")),
    (ocpp_cs_error(400, f"Charge Point {CHARGER} not connected."), offline("not-connected")),
    (ocpp_cs_error(400, "Charge Point not connected."), offline("not-connected")),
    (ocpp_cs_error(400, "Not found required key: idTag (x)"), ("ServerFailed", "unreadable")),
    (ocpp_cs_error(400, "Missing required field 'idTag'"), ("ServerFailed", "unreadable")),
    (ocpp_cs_error(400, "NotImplemented: a description: long"), rejected("not-supported NotImplemented")),
    (ocpp_cs_error(400, "GenericError: x"), UNKNOWN),
    (ocpp_cs_error(403, "x"), FORBIDDEN),
    (ocpp_cs_error(404, "Unknown API command"), ("ServerFailed", "no-starts")),
    (ocpp_cs_error(404, "x"), ("ChargerUnknown", "charger-unknown")),
    (reply(404, "x", "text/html"), ("OutcomeUnknown", "http-404")),
    (ocpp_cs_error(503, "Charge point did not respond within 30s"), ("OutcomeUnknown", "charger-silent")),
    (ocpp_cs_error(503, "Charge point not connected"), offline("not-connected")),
    (ocpp_cs_error(503, "Station unreachable: not connected"), ("OutcomeUnknown", "http-503")),
    (ocpp_cs_error(503, "x"), ("OutcomeUnknown", "http-503")),
    (ocpp_cs_error(504, "x"), ("OutcomeUnknown", "charger-silent")),
    (ocpp_cs_error(502, "Missing required field 'idToken'"), ("OutcomeUnknown", "http-502")),
    (ocpp_cs_error(500, "x"), ("OutcomeUnknown", "http-500")),
    (ServerReply(503, "text/plain", {}, None, "it did not respond"), ("OutcomeUnknown", "charger-silent")),
    (reply(503, {"error": "did not respond"}), ("OutcomeUnknown", "charger-silent")),
    (reply(503, {"error": {"code": 503}}), ("OutcomeUnknown", "http-503")),
]


@pytest.mark.parametrize(
    ("name", "response", "expected"),
    [
        *(("steve", response, expected) for response, expected in STEVE),
        *(("ocpp-core", response, expected) for response, expected in OCPP_CORE),
        *(("ocpp-cs", response, expected) for response, expected in OCPP_CS),
        ("citrineos", reply(200, [{"success": True}]), Published()),
        ("citrineos", reply(200, [{"success": False}]), Published()),
        ("citrineos", reply(200, [{"success": False, "payload": "No connection found for identifier: 1:CP"}]), offline("unknown-or-not-connected")),
        ("citrineos", reply(200, [{"success": False, "payload": "Channel closed"}]), ("ServerBusy", "busy", 5)),
        ("citrineos", reply(200, [{"success": False, "payload": "x"}]), ("OutcomeUnknown", "not-published")),
        ("citrineos", reply(500, {"message": "Channel closed"}), ("ServerBusy", "busy", 5)),
        ("citrineos", reply(500, {"message": "x"}), ("OutcomeUnknown", "http-500")),
        ("citrineos", reply(400, {"code": "FST_ERR_VALIDATION"}), ("ServerFailed", "unreadable")),
        ("citrineos", reply(403), FORBIDDEN),
        ("citrineos", reply(200), ("OutcomeUnknown", "http-200")),
        ("citrineos", other_version("2.1"), rejected("not-supported OCPP 2.1", early=True)),
    ],
)  # fmt: skip
def test_a_reply_to_a_start_has_one_answer(name: str, response: ServerReply, expected: Expected) -> None:
    citrineos._versions.clear()
    assert result(load(name), command(name, connector=3), Exchange(response)) == expected


@pytest.mark.parametrize(
    ("name", "token", "replies", "expected"),
    [
        ("steve", LONG, [], rejected("token-too-long", early=True)),
        ("steve", "a b", [], rejected("not-supported a character of the token", early=True)),
        ("ocpp-core", "a/b", [], rejected("not-supported a slash in a token", early=True)),
        ("ocpp-core", "..", [], rejected("not-supported a token of dots only", early=True)),
        ("ocpp-core", LONG, [reply(200, [])], offline("unknown-or-not-connected")),
        ("ocpp-core", LONG, [reply(200, [{"id": CHARGER, "protocol": "ocpp1.6"}])], rejected("token-too-long", early=True)),
        ("ocpp-core", LONG, [reply(200, [{"id": CHARGER, "protocol": "ocpp2.0.1"}]), reply(200, {"status": "Accepted"})], ACCEPTED),
        ("ocpp-core", LONG, [reply(500)], ("ServerFailed", "no-list")),
        ("ocpp-cs", LONG, [ocpp_cs_error(400, "Invalid key: idToken")], rejected("token-too-long", early=True)),
        ("ocpp-cs", LONG, [ocpp_cs_error(400, REQUIRED % "idTag")], rejected("token-too-long", early=True)),
        ("ocpp-cs", "TAG1", [ocpp_cs_error(400, "Missing required field 'idToken'"), reply(200, {"status": "Accepted"})], ACCEPTED),
        ("ocpp-cs", "TAG1", [ocpp_cs_error(400, REQUIRED % "remoteStartId"), reply(200, {"status": "Accepted"})], ACCEPTED),
        ("citrineos", "TAG1", [other_version("2.0.1"), reply(200, [{"success": True}])], Published()),
        ("citrineos", "TAG1", [other_version("2.0.1"), other_version("1.6", "2.0.1")], ("ServerFailed", "version")),
        ("citrineos", LONG, [other_version("1.6", "2.0.1")], rejected("token-too-long", early=True)),
    ],
)  # fmt: skip
def test_a_token_that_a_version_cannot_have_is_never_sent_to_it(
    name: str, token: str, replies: list[ServerReply], expected: Expected
) -> None:
    citrineos._versions.clear()
    exchange = Exchange(*replies)
    assert result(load(name), command(name, connector=3, token=token), exchange) == expected
    assert len(exchange.sent) == len(replies)


def test_the_longest_token_of_ocpp_16_is_sent_as_it_is() -> None:
    for name in ("steve", "ocpp-core", "ocpp-cs", "citrineos"):
        citrineos._versions.clear()
        exchange = Exchange(reply(500))
        result(load(name), command(name, token="x" * 20), exchange)
        ((_, path, payload, _),) = exchange.sent
        assert "x" * 20 in path or payload["idTag"] == "x" * 20


def ocpp_cs_entry(**members: Any) -> ServerReply:
    return reply(200, [{"identity": "another"}, {"identity": CHARGER, "connection": {"fd": 7}, **members}])


def version_1(**members: Any) -> ServerReply:
    return reply(200, {"ChargePointList": [{"identity": "another"}, {"identity": CHARGER, **members}]})


@pytest.mark.parametrize(
    ("name", "connector", "response", "expected"),
    [
        ("ocpp-core", None, reply(200, [{"id": "another"}]), offline("unknown-or-not-connected", 0)),
        ("ocpp-core", 3, reply(200, []), offline("unknown-or-not-connected")),
        ("ocpp-core", None, reply(200, [{"id": CHARGER}]), ("OutcomeUnknown", "no-status")),
        ("ocpp-core", 3, reply(200, [{"id": CHARGER, "OnlineConnectors": {"3": {"Status": 4}}}]), Answer(Outcome.STATUS, "Faulted", 3)),
        ("ocpp-core", 3, reply(200, [{"id": CHARGER, "OnlineConnectors": {"2": {"Status": 4}}}]), ("OutcomeUnknown", "no-status")),
        ("ocpp-core", None, reply(200, [{"id": CHARGER, "OnlineConnectors": {"3": {"Status": 2}, "2": {"Status": 1}}}]), Answer(Outcome.STATUS, "Available", 2)),
        ("ocpp-core", None, reply(200, [{"id": CHARGER, "OnlineConnectors": {"0": {"Status": 3}}}]), Answer(Outcome.STATUS, "Unavailable", 0)),
        ("ocpp-core", 3, reply(201, []), ("OutcomeUnknown", "http-201")),
        ("ocpp-core", 3, reply(200, {}), ("OutcomeUnknown", "http-200")),
        ("ocpp-cs", 3, version_1(), offline("not-connected")),
        ("ocpp-cs", None, version_1(), offline("not-connected", 0)),
        ("ocpp-cs", 3, version_1(connection=True), ("StatusNotAvailable", "status-not-available")),
        ("ocpp-cs", 3, version_1(Connection=True), ("StatusNotAvailable", "status-not-available")),
        ("ocpp-cs", 3, reply(200, {"ChargePointList": [{"Identity": "another"}]}), offline("unknown-or-not-connected")),
        ("ocpp-cs", 3, reply(200, []), ("ChargerUnknown", "charger-unknown")),
        ("ocpp-cs", 3, ocpp_cs_entry(connection=None), offline("not-connected")),
        ("ocpp-cs", 3, ocpp_cs_entry(), ("OutcomeUnknown", "no-status")),
        ("ocpp-cs", 3, ocpp_cs_entry(statusNotification={"status": "Faulted", "connectorId": 2}), ("OutcomeUnknown", "no-status")),
        ("ocpp-cs", 3, ocpp_cs_entry(statusNotification={"status": "Faulted", "connectorId": 3, "errorCode": "x"}), Answer(Outcome.STATUS, "Faulted", 3, "OtherError")),
        ("ocpp-cs", None, ocpp_cs_entry(statusNotification={"connectorStatus": "Occupied", "evseId": 2}), Answer(Outcome.STATUS, "Occupied", 2)),
        ("ocpp-cs", 3, reply(403), FORBIDDEN),
        ("ocpp-cs", 3, ocpp_cs_error(400, "invalid token"), ("OutcomeUnknown", "http-400")),
        ("ocpp-cs", 3, reply(404), ("OutcomeUnknown", "http-404")),
        ("ocpp-cs", 3, reply(201, []), ("OutcomeUnknown", "http-201")),
        ("ocpp-cs", 3, reply(201, {"ChargePointList": []}), ("OutcomeUnknown", "http-201")),
    ],
)  # fmt: skip
def test_a_reply_to_a_request_for_a_status_has_one_answer(
    name: str, connector: int | None, response: ServerReply, expected: Expected
) -> None:
    exchange = Exchange(response)
    assert result(load(name), command(name, token=None, connector=connector), exchange) == expected
    path = {"ocpp-core": "/Status", "ocpp-cs": "/api/v1/ChargePointList"}[name]
    assert exchange.sent == [("GET", path, None, {"limit": LIST_LIMIT})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *CHARGERS_OWN,
        ({"_errorCode": "NotSupported"}, rejected("not-supported NotSupported")),
        ({"_errorCode": "InternalError", "status": "Accepted"}, UNKNOWN),
        ({"_errorCode": ["NotSupported"]}, UNKNOWN),
        (
            {"status": "Rejected", "statusInfo": {"reasonCode": "the token"}},
            rejected("charger-refused"),
        ),
    ],
)
def test_a_callback_of_citrineos_has_one_answer(body: Any, expected: Expected) -> None:
    def read(given: Command, _: object) -> Answer:
        return citrineos.read_callback(body, given.connector)

    assert (
        result(load("citrineos")._replace(start=read), command("citrineos", connector=3), Exchange())
        == expected
    )


def test_ocpp_cs_receives_the_body_of_201_after_it_asked_for_it() -> None:
    exchange = Exchange(
        ocpp_cs_error(400, "Missing required field 'idToken'"), reply(200, {"status": "Accepted"})
    )
    given = command("ocpp-cs", connector=3)
    assert result(load("ocpp-cs"), given, exchange) == ACCEPTED
    path = "/api/v1/ChargePoint/CP%2F1%20%C3%A4/RemoteStartTransaction"
    assert exchange.sent == [
        ("POST", path, {"idTag": "TAG1", "connectorId": 3}, {}), ("POST", path, start_201(given), {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "paths"),
    [
        ("TAG1", ["/ocpp/1.6/evdriver/remoteStartTransaction"]),
        (LONG, ["/ocpp/2.0.1/evdriver/requestStartTransaction"]),
    ],
)
def test_citrineos_receives_a_long_token_at_the_path_of_201_only(token: str, paths: list[str]) -> None:
    citrineos._versions.clear()
    exchange = Exchange(reply(200, [{"success": True}]))
    assert result(load("citrineos"), command("citrineos", token=token), exchange) == Published()
    assert [(method, path.partition("?")[0]) for method, path, _, _ in exchange.sent] == [
        ("POST", path) for path in paths
    ]


def test_citrineos_needs_a_url_for_its_callback() -> None:
    exchange = Exchange()
    given = command("citrineos")._replace(callback_url=None)
    assert result(load("citrineos"), given, exchange) == ("ServerFailed", "no-callback-url")
    assert exchange.sent == []


def test_a_start_whose_response_is_lost_may_be_published_nevertheless() -> None:
    lost = readings.silent()
    assert result(load("citrineos"), command("citrineos"), Exchange(lost)) == Published(lost)


def test_citrineos_remembers_a_version_by_server_and_charger(monkeypatch: pytest.MonkeyPatch) -> None:
    citrineos._versions.clear()
    monkeypatch.setattr(citrineos, "_MAX_VERSIONS", 2)
    published = reply(200, [{"success": True}])
    for charger, paths in (("A", 2), ("A", 1), ("B", 2), ("A", 1), ("C", 2), ("A", 2)):
        exchange = Exchange(other_version("2.0.1"), published) if paths == 2 else Exchange(published)
        assert result(load("citrineos"), command("citrineos", charger_id=charger), exchange) == Published()
        assert [path.split("/")[2] for _, path, _, _ in exchange.sent] == ["1.6", "2.0.1"][-paths:]


@pytest.mark.parametrize("name", NAMES)
def test_steve_and_citrineos_have_no_request_for_a_status(name: str) -> None:
    assert (load(name).status is None) is (name in ("steve", "citrineos"))


def test_without_a_connector_none_is_sent() -> None:
    for name in ("steve", "ocpp-cs", "citrineos"):
        exchange = Exchange(reply(500))
        result(load(name), command(name, connector=None), exchange)
        assert "connectorId" not in exchange.sent[0][2]

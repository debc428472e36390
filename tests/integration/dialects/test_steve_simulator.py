"""The simulator of SteVe responds as a real SteVe was observed to. The tests choose each answer of the charge point."""

from __future__ import annotations

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from local.running import in_thread
from local.simulators import Steve, serving_simulator
from local.simulators.steve import NOT_ELIGIBLE, START
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.simulators import Simulator

TIMEOUT = 0.5
BASIC = "Basic " + b64encode(b"operator:api password").decode()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Server:
    """One simulator with its HTTP client, and charge points on raw WebSockets."""

    def __init__(self, model: Steve, simulator: Simulator, stack: ExitStack) -> None:
        self.model = model
        self._simulator = simulator
        self._stack = stack
        self._threads = stack.enter_context(ThreadPoolExecutor())

    def connect_charger(self, identity: str = "CP1") -> ClientConnection:
        url = f"{self._simulator.ocpp_url}/{quote(identity)}"
        socket = self._stack.enter_context(connect(url, subprotocols=[Subprotocol("ocpp1.6")]))
        call(socket, "Heartbeat", {})
        return socket

    def send(
        self,
        body: Any = None,
        *,
        method: str = "POST",
        path: str = START,
        authorization: str | None = BASIC,
        **changes: Any,
    ) -> Answer:
        fields = {"chargeBoxIdList": ["CP1"], "idTag": "TAG1", "connectorId": 1, **changes}
        content = json.dumps(fields).encode() if body is None else body
        connection = HTTPConnection(urlsplit(self._simulator.url).netloc, timeout=20)
        try:
            headers = {"Authorization": authorization} if authorization else {}
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read()
            response_headers = {name.lower(): value for name, value in response.getheaders()}
            is_json = response_headers.get("content-type") == "application/json"
            return Answer(response.status, response_headers, json.loads(text) if is_json else text)
        finally:
            connection.close()

    def start(self, socket: ClientConnection, reply: str, **changes: Any) -> Answer:
        """Send a start, answer it with `reply` (ID is replaced with the message's id), and return the response."""
        pending = self._threads.submit(self.send, **changes)
        _, id_, _, _ = receive(socket)
        socket.send(reply.replace("ID", id_))
        return pending.result(20)

    def start_later(self, **changes: Any) -> Any:
        """Send a start in another thread, and return the future of its response."""
        return self._threads.submit(self.send, **changes)


def receive(socket: ClientConnection) -> list[Any]:
    message: list[Any] = json.loads(socket.recv(20))
    return message


def call(socket: ClientConnection, action: str, payload: dict[str, Any]) -> Any:
    socket.send(json.dumps([2, "a-call", action, payload]))
    return receive(socket)[2]


def wait_for_close_code(socket: ClientConnection) -> int | None:
    """Wait until SteVe closes the socket, and return the close code."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(20)
    return closed.value.rcvd.code if closed.value.rcvd else None


@pytest.fixture
def model() -> Steve:
    return Steve("operator", "api password", TIMEOUT, one_transaction_a_tag=True)


@pytest.fixture
def steve(model: Steve) -> Iterator[Server]:
    with in_thread(serving_simulator(model)) as simulator, ExitStack() as stack:
        yield Server(model, simulator, stack)


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"authorization": "Basic " + b64encode(b"operator:old").decode()}, 401, "Invalid password"),
        ({"authorization": "Basic " + b64encode(b"x:old").decode()}, 401, "The user does not exist, exists"),
        ({"path": "/steve/api/v2/x"}, 403, "<!doctype html>"),
        ({"path": START + "s"}, 403, "<!doctype html>"),
        ({"method": "GET"}, 403, "<!doctype html>"),
        ({"path": "/elsewhere"}, 404, "<!doctype html>"),
        ({"idTag": "x" * 21}, 400, "Error understanding the request"),
        ({"idTag": "TAG 1"}, 400, "Error understanding the request"),
        ({"idTag": None}, 400, "Error understanding the request"),
        ({"connectorId": -1}, 400, "Error understanding the request"),
        ({"chargeBoxIdList": ["CP1", "CP2"]}, 400, "Error understanding the request"),
        ({"connectorId": 2**31}, 500, ""),
        ({"body": b"no JSON"}, 500, ""),
        ({"idTag": NOT_ELIGIBLE}, 400, "Requested OCPP Tag is not eligible"),
        ({"chargeBoxIdList": ["cp1"]}, 400, "No stations are eligible"),
    ],
)
def test_requests_that_are_declined_before_a_call_is_sent(
    steve: Server, changes: dict[str, Any], status: int, text: str
) -> None:
    steve.connect_charger()
    answer = steve.send(**changes)
    text_received = answer.body["message"] if isinstance(answer.body, dict) else answer.body.decode()
    assert (answer.status, text_received.startswith(text)) == (status, True), text_received


def test_without_credentials_it_redirects_to_the_sign_in_page(steve: Server) -> None:
    answer = steve.send(authorization=None)
    assert (answer.status, answer.body) == (302, b"")
    location = urlsplit(answer.headers["location"])
    assert (location.scheme, location.path.partition(";")[0]) == ("http", "/steve/manager/signin")


def test_a_release_may_allow_longer_tokens() -> None:
    model = Steve(timeout=TIMEOUT, max_token_length=40)
    with in_thread(serving_simulator(model)) as simulator, ExitStack() as stack:
        server = Server(model, simulator, stack)
        answer = server.start(server.connect_charger(), '[3,"ID",{"status":"Accepted"}]', idTag="x" * 40)
        assert answer.body["successResponses"] == [{"chargeBoxId": "CP1", "response": "Accepted"}]
        assert server.send(idTag="x" * 41).status == 400


@pytest.mark.parametrize(("details", "text"), [("{}", None), ('{"why": "x"}', '{"why":"x"}')])
def test_a_callerror_of_16_is_an_error_response(steve: Server, details: str, text: str | None) -> None:
    answer = steve.start(steve.connect_charger(), f'[4,"ID","NotSupported","",{details}]')
    assert answer.body["errorResponses"] == [
        {"chargeBoxId": "CP1", "errorCode": "NotSupported", "errorDescription": None, "errorDetails": text}
    ]


@pytest.mark.parametrize(
    "reply",
    ['[4,"ID","FormatViolation","",{}]', '[3,"ID",{"status":"accepted"}]', '[3,"ID",{"status":null}]'],
)
def test_an_answer_that_it_cannot_parse_is_an_exception_and_closes_the_socket(
    steve: Server, reply: str
) -> None:
    socket = steve.connect_charger()
    answer = steve.start(socket, reply)
    (exception,) = answer.body["exceptions"]
    message, _, raw = exception["exceptionMessage"].partition(": ")
    assert message == "Deserialization of incoming string failed"
    assert json.loads(raw)[2:] == json.loads(reply)[2:]
    assert wait_for_close_code(socket) == 1011


@pytest.mark.parametrize("reply", ["no JSON", '[3,"another",{"status":"Accepted"}]'])
def test_a_message_that_does_not_answer_the_call_closes_the_socket_and_the_wait_continues(
    steve: Server, reply: str
) -> None:
    socket = steve.connect_charger()
    answer = steve.start(socket, reply)
    assert (answer.status, answer.body["taskFinished"], answer.body["exceptions"]) == (200, False, [])
    assert wait_for_close_code(socket) == 1011


def test_a_late_answer_is_discarded_and_closes_the_socket(steve: Server) -> None:
    socket = steve.connect_charger()
    pending = steve.start_later()
    _, id_, _, _ = receive(socket)
    assert pending.result(20).body["taskFinished"] is False
    socket.send(f'[3,"{id_}",{{"status":"Accepted"}}]')
    assert wait_for_close_code(socket) == 1011


def test_a_socket_that_closes_after_the_call_leaves_the_task_unfinished(steve: Server) -> None:
    socket = steve.connect_charger()
    pending = steve.start_later()
    receive(socket)
    socket.close()
    body = pending.result(20).body
    assert (body["taskFinished"], body["successResponses"], body["exceptions"]) == (False, [], [])


def test_only_the_newest_socket_receives_the_call(steve: Server) -> None:
    older = steve.connect_charger()
    newer = steve.connect_charger()
    accepted = '[3,"ID",{"status":"Accepted"}]'
    assert steve.start(newer, accepted).body["taskFinished"]
    newer.close()
    eventually(lambda: steve.model.chargers.by_identity["CP1"].connected is not None)
    assert steve.start(older, accepted).body["taskFinished"]


def test_a_tag_is_not_eligible_while_it_is_in_use(steve: Server) -> None:
    socket = steve.connect_charger()
    accepted = '[3,"ID",{"status":"Accepted"}]'
    assert steve.start(socket, accepted).status == 200
    began = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": "2026-11-20T09:00:00Z"}
    transaction = call(socket, "StartTransaction", began)["transactionId"]
    assert steve.send().body["message"].startswith("Requested OCPP Tag is not eligible")
    assert steve.start(socket, accepted, idTag="TAG2").status == 200
    call(
        socket,
        "StopTransaction",
        {"transactionId": transaction, "meterStop": 1, "timestamp": "2026-11-20T09:10:00Z"},
    )
    assert steve.start(socket, accepted).status == 200


def test_while_its_database_fails_no_tag_is_eligible(steve: Server) -> None:
    socket = steve.connect_charger()
    steve.model.database_down = True
    assert steve.send().body["message"].startswith("Requested OCPP Tag is not eligible")
    steve.model.database_down = False
    assert steve.start(socket, '[3,"ID",{"status":"Accepted"}]').status == 200

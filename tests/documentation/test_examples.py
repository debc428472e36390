"""Every sample equals the running stack's response byte for byte, in every format, except for ports and ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
import yaml

from apidoc import examples
from apidoc.document import build_document
from apidoc.generate import render_openapi
from apidoc.samples import (
    ATTEMPT,
    CONNECT,
    PAGE,
    PATH,
    REQUEST_FORMATS,
    RESOLUTION,
    RESOLUTION_PROBLEMS,
    STOP,
    UNKNOWN_ATTEMPT,
    UNKNOWN_PAGE,
    Sample,
    encode_request,
    encode_response,
)
from common.remote_start import remote_start_id
from common.wire import MediaType
from tests.documentation.description import assert_described
from tests.documentation.test_faults import SETUPS

if TYPE_CHECKING:
    from tests.documentation.stack import HttpResponse, Stack

ANSWERS: Final = ("rejected", "offline", "status")
PROBLEMS: Final = ("invalid-request", "address-not-allowed", "charger-unknown")


@pytest.fixture
def new_id() -> str:
    return str(uuid4())


@pytest.fixture(scope="module")
def started_id(stack: Stack) -> str:
    """The id of a start that CP-1 accepted. A repeat with it is a replay, and CP-1 is busy for a while."""
    return start(stack)


def start(stack: Stack) -> str:
    """Wait until CP-1 is available, start it with a new id, and return the id."""
    sample = examples.find_sample("accepted")
    stack.wait_until_available("CP-1")
    id_ = str(uuid4())
    response = connect(stack, sample, "application/json", id_)
    assert_as_documented(response, sample, MediaType.JSON, id_)
    assert "idempotent-replayed" not in response.headers
    return id_


def connect(
    stack: Stack, sample: Sample, media: str, id_: str, *, charger: str = "", accept: str = ""
) -> HttpResponse:
    """Send a sample's request, with its id replaced if that is valid."""
    request = dict(sample.request)
    if charger:
        request["chargerId"] = charger
    body = stack.ports.localize(encode_request(replace_id(request, sample, id_), media))
    return stack.send("POST", PATH, body, {"Content-Type": media} | ({"Accept": accept} if accept else {}))


def replace_id(value: Any, sample: Sample, id_: str) -> Any:
    """Return `value` with the sample's id replaced, unless that is not a GUID."""
    old = str(sample.request.get("id", ""))
    return json.loads(json.dumps(value).replace(old, id_)) if len(old) == len(id_) else value


def assert_as_documented(response: HttpResponse, sample: Sample, media: MediaType, id_: str = "") -> None:
    assert response.status == sample.status
    assert response.text == replace_id(expected_text(sample, media), sample, id_)
    for name, value in sample.headers.items():
        assert response.headers[name.lower()] == value
    assert_described(response, "POST", PATH)


def expected_text(sample: Sample, media: MediaType = MediaType.JSON) -> str:
    return encode_response(sample.response, media)


@pytest.mark.parametrize("accept", MediaType)
@pytest.mark.parametrize("media", REQUEST_FORMATS)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_definite_answer_in_every_format(
    name: str, media: str, accept: MediaType, stack: Stack, new_id: str
) -> None:
    sample = examples.find_sample(name)
    response = connect(stack, sample, media, new_id, accept=accept)
    assert response.media_type == accept
    assert_as_documented(response, sample, accept, new_id)


@pytest.mark.parametrize("accept", MediaType)
@pytest.mark.parametrize("media", REQUEST_FORMATS)
def test_a_replay_in_every_format(media: str, accept: MediaType, stack: Stack, started_id: str) -> None:
    sample = examples.find_sample("replayed")
    response = connect(stack, sample, media, started_id, accept=accept)
    assert_as_documented(response, sample, accept, started_id)


def test_the_id_of_another_request(stack: Stack, started_id: str) -> None:
    sample = examples.find_sample("id-reused")
    response = connect(stack, sample, "application/json", started_id)
    assert_as_documented(response, sample, MediaType.JSON, started_id)


@pytest.mark.parametrize("media", REQUEST_FORMATS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_has_the_format_of_the_request(name: str, media: str, stack: Stack, new_id: str) -> None:
    sample = examples.find_sample(name)
    expected_media = MediaType.XML if examples.FORMATS[media] == "xml" else MediaType.JSON
    response = connect(stack, sample, media, new_id)
    assert response.media_type == f"application/problem+{examples.FORMATS[expected_media]}"
    assert_as_documented(response, sample, expected_media, new_id)


def test_an_unreachable_ocpp_server(stack: Stack, new_id: str) -> None:
    sample = examples.find_sample("server-unreachable")
    response = connect(stack, sample, "application/json", new_id)
    assert_as_documented(response, sample, MediaType.JSON, new_id)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_other_than_post(method: str, stack: Stack) -> None:
    response = stack.send(method, PATH)
    assert_as_documented(response, examples.find_sample("method-not-allowed"), MediaType.JSON)


def test_a_body_that_is_too_large(stack: Stack) -> None:
    response = stack.send("POST", PATH, b" " * (64 * 1024 + 1), {"Content-Type": "application/json"})
    assert_as_documented(response, examples.find_sample("body-too-large"), MediaType.JSON)


def test_an_unsupported_media_type(stack: Stack) -> None:
    response = stack.send("POST", PATH, "id=1", {"Content-Type": "text/plain"})
    assert_as_documented(response, examples.find_sample("unsupported-media-type"), MediaType.JSON)


def test_a_charger_that_never_answers(stack: Stack) -> None:
    """Of two simultaneous calls, one waits for the charger and the other receives 409."""
    in_progress, unknown = stack.silent_charger_responses()
    documented = examples.find_sample("attempt-in-progress")
    assert (in_progress.status, in_progress.text) == (409, expected_text(documented))
    assert 1 <= int(in_progress.headers["retry-after"]) <= 29
    assert_described(in_progress, "POST", PATH)
    assert_as_documented(unknown, examples.find_sample("outcome-unknown"), MediaType.JSON)


def test_an_attempt(stack: Stack, started_id: str) -> None:
    response = stack.send("GET", f"{PATH}/{started_id}")
    assert (response.status, response.media_type) == (200, "application/json")
    assert_documented_attempt(json.loads(response.text), started_id, stack)
    assert_described(response, "GET", "/api/v1/ocpp/charger-connect/{id}")


def test_pages_of_attempts(stack: Stack, started_id: str) -> None:
    connect(stack, examples.find_sample("status"), "application/json", str(uuid4()), charger="CP-1")
    path, query = "/api/v1/ocpp/chargers/CP-1/attempts", "limit=1"
    attempts: dict[str, Any] = {}
    while True:
        response = stack.send("GET", f"{path}?{query}")
        assert_described(response, "GET", "/api/v1/ocpp/chargers/{chargerId}/attempts")
        page = json.loads(response.text)
        assert page.keys() == PAGE.keys()
        attempts |= {attempt["id"]: attempt for attempt in page["attempts"]}
        if page["next"] is None:
            break
        query = f"limit=1&next={page['next']}"
    created = [attempt["createdAt"] for attempt in attempts.values()]
    assert created == sorted(created, reverse=True)
    assert_documented_attempt(attempts[started_id], started_id, stack)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "next=%21"])
def test_an_invalid_query_for_a_page(query: str, stack: Stack) -> None:
    response = stack.send("GET", f"/api/v1/ocpp/chargers/CP-1/attempts?{query}")
    assert response.status == 400
    assert_described(response, "GET", "/api/v1/ocpp/chargers/{chargerId}/attempts")


def test_an_unknown_attempt(stack: Stack) -> None:
    response = stack.send("GET", UNKNOWN_ATTEMPT.path)
    assert response.text == expected_text(UNKNOWN_ATTEMPT)
    assert_described(response, "GET", "/api/v1/ocpp/charger-connect/{id}")


@pytest.mark.parametrize("accept", MediaType)
def test_a_stop_of_a_start_that_the_charger_rejected(accept: MediaType, stack: Stack, new_id: str) -> None:
    connect(stack, examples.find_sample("rejected"), "application/json", new_id)
    (_, sample) = STOP
    response = stack.send("DELETE", f"{PATH}/{new_id}", headers={"Accept": accept})
    assert (response.status, response.media_type) == (200, accept)
    assert response.text == expected_text(sample, accept).replace(sample.path.rpartition("/")[2], new_id)
    assert_described(response, "DELETE", "/api/v1/ocpp/charger-connect/{id}")


def test_a_stop_of_an_unknown_id(stack: Stack) -> None:
    response = stack.send("DELETE", UNKNOWN_ATTEMPT.path)
    assert response.text == expected_text(UNKNOWN_ATTEMPT)
    assert_described(response, "DELETE", "/api/v1/ocpp/charger-connect/{id}")


def test_only_an_unknown_attempt_is_resolved(started_id: str, stack: Stack) -> None:
    (sample, _) = RESOLUTION_PROBLEMS
    path = f"/api/v1/ocpp/charger-connect/{started_id}/resolution"
    headers = {"Content-Type": "application/json"}
    response = stack.send("PUT", path, json.dumps(RESOLUTION), headers)
    assert response.text == expected_text(sample).replace(ATTEMPT["id"], started_id)
    assert_described(response, "PUT", "/api/v1/ocpp/charger-connect/{id}/resolution")
    wrong = stack.send("PUT", path, "{}", headers)
    assert [error["field"] for error in json.loads(wrong.text)["errors"]] == ["outcome", "note"]
    assert_described(wrong, "PUT", "/api/v1/ocpp/charger-connect/{id}/resolution")


def test_the_list_of_unknown_attempts(started_id: str, stack: Stack) -> None:
    response = stack.send("GET", "/api/v1/ocpp/attempts?state=unknown&limit=100")
    page = json.loads(response.text)
    assert page.keys() == UNKNOWN_PAGE.keys()
    assert started_id not in {attempt["id"] for attempt in page["attempts"]}
    assert {attempt["state"] for attempt in page["attempts"]} <= {"unknown"}
    assert_described(response, "GET", "/api/v1/ocpp/attempts")
    wrong = stack.send("GET", "/api/v1/ocpp/attempts?state=failed")
    assert wrong.status == 400
    assert_described(wrong, "GET", "/api/v1/ocpp/attempts")


def test_a_callback_that_no_attempt_waits_for(stack: Stack) -> None:
    path = f"/api/v1/ocpp/callbacks/{uuid4()}/1/{'0' * 64}"
    response = stack.send("POST", path, '{"status":"Accepted"}', {"Content-Type": "application/json"})
    assert response.status == 404
    assert_described(response, "POST", "/api/v1/ocpp/callbacks/{id}/{expires}/{signature}")


def assert_documented_attempt(attempt: dict[str, Any], id_: str, stack: Stack) -> None:
    """Compare an attempt with the documented one, except for the values that differ between runs."""
    documented = json.loads(stack.ports.localize(json.dumps(ATTEMPT)).replace(ATTEMPT["id"], id_))
    documented["remoteStartId"] = remote_start_id(id_)
    assert attempt["milliseconds"].keys() == documented["milliseconds"].keys()
    varying = dict.fromkeys(("createdAt", "updatedAt", "traceId", "milliseconds"))
    assert attempt | varying == documented | varying


def test_the_service_enforces_the_described_limits(stack: Stack) -> None:
    """A value beyond a limit is rejected, with its field in `errors`; a value at the limit is not."""
    schema = build_document()["components"]["schemas"]["OcppChargerConnectRequest"]["properties"]
    at_limit = {
        "chargerId": "C" * schema["chargerId"]["maxLength"],
        "tokenId": "T" * schema["tokenId"]["maxLength"],
        "serverRestApiPort": schema["serverRestApiPort"]["maximum"],
    }
    beyond = {
        "chargerId": at_limit["chargerId"] + "C",
        "tokenId": at_limit["tokenId"] + "T",
        "serverRestApiPort": 65536,
    }
    below = {"chargerId": "", "serverRestApiPort": schema["serverRestApiPort"]["minimum"] - 1}
    assert at_limit["serverRestApiPort"] == 65535
    base = {"id": str(uuid4()), "serverIpAddress": "203.0.113.7"}
    assert rejected_fields(stack, {**base, **at_limit}) == (403, set())
    assert rejected_fields(stack, {**base, **beyond}) == (400, set(beyond))
    assert rejected_fields(stack, {**base, **below}) == (400, set(below))


def rejected_fields(stack: Stack, request: dict[str, Any]) -> tuple[int, set[str]]:
    response = stack.send("POST", PATH, json.dumps(request), {"Content-Type": "application/json"})
    return response.status, {error["field"] for error in json.loads(response.text).get("errors", ())}


def test_every_sample_is_tested() -> None:
    tested_here = {
        *ANSWERS,
        *PROBLEMS,
        "accepted",
        "server-unreachable",
        "replayed",
        "id-reused",
        "method-not-allowed",
        "body-too-large",
        "unsupported-media-type",
    }
    tested_here |= {"attempt-in-progress", "outcome-unknown"}
    assert {sample.name for sample in CONNECT} == tested_here | set(SETUPS)
    assert not tested_here & set(SETUPS)


def test_the_generated_yaml_parses_to_the_document() -> None:
    assert yaml.safe_load(render_openapi()) == json.loads(json.dumps(build_document()))

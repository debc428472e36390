"""What the description shows is what the running stack says, in every format; byte for byte, but for ports and ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
import yaml

from apidoc import examples
from apidoc.document import document
from apidoc.generate import openapi
from apidoc.samples import (
    ATTEMPT,
    CONNECT,
    PAGE,
    PATH,
    REQUEST_FORMATS,
    UNKNOWN_ATTEMPT,
    Sample,
    answered,
    written,
)
from common.remote_start import remote_start_id
from common.wire import MediaType
from tests.documentation.description import assert_described
from tests.documentation.test_faults import FAULTS

if TYPE_CHECKING:
    from tests.documentation.stack import Heard, Stack

TOLD: Final = ("rejected", "offline", "status")
REFUSED: Final = ("invalid-request", "address-not-allowed", "charger-unknown")


@pytest.fixture
def fresh() -> str:
    return str(uuid4())


@pytest.fixture(scope="module")
def started(stack: Stack) -> str:
    """The id of a start that CP-1 has taken: whatever follows under it is a replay, and CP-1 is busy for a while."""
    return start(stack)


def start(stack: Stack) -> str:
    """Start CP-1 once it is available, under a new id, as the sample shows."""
    sample = examples.sample("accepted")
    stack.until_available("CP-1")
    id_ = str(uuid4())
    heard = connect(stack, sample, "application/json", id_)
    assert_as_documented(heard, sample, MediaType.JSON, id_)
    assert "idempotent-replayed" not in heard.headers
    return id_


def connect(
    stack: Stack, sample: Sample, media: str, id_: str, *, charger: str = "", accept: str = ""
) -> Heard:
    """Send a sample under an id of the test's own, where it has a valid one."""
    request = dict(sample.request)
    if charger:
        request["chargerId"] = charger
    body = stack.ports.localized(written(renamed(request, sample, id_), media))
    return stack.send("POST", PATH, body, {"Content-Type": media} | ({"Accept": accept} if accept else {}))


def renamed(value: Any, sample: Sample, id_: str) -> Any:
    """`value` with the sample's id replaced."""
    old = str(sample.request.get("id", ""))
    return json.loads(json.dumps(value).replace(old, id_)) if len(old) == len(id_) else value


def assert_as_documented(heard: Heard, sample: Sample, media: MediaType, id_: str = "") -> None:
    assert heard.status == sample.status
    assert heard.text == renamed(told(sample, media), sample, id_)
    for name, value in sample.headers.items():
        assert heard.headers[name.lower()] == value
    assert_described(heard, "POST", PATH)


def told(sample: Sample, media: MediaType = MediaType.JSON) -> str:
    assert not isinstance(sample.answer, dict)
    return answered(sample.answer, media)


@pytest.mark.parametrize("accept", MediaType)
@pytest.mark.parametrize("media", REQUEST_FORMATS)
@pytest.mark.parametrize("name", TOLD)
def test_an_answer_in_every_format(
    name: str, media: str, accept: MediaType, stack: Stack, fresh: str
) -> None:
    sample = examples.sample(name)
    heard = connect(stack, sample, media, fresh, accept=accept)
    assert heard.media_type == accept
    assert_as_documented(heard, sample, accept, fresh)


@pytest.mark.parametrize("accept", MediaType)
@pytest.mark.parametrize("media", REQUEST_FORMATS)
def test_a_start_repeated_in_every_format(media: str, accept: MediaType, stack: Stack, started: str) -> None:
    sample = examples.sample("replayed")
    heard = connect(stack, sample, media, started, accept=accept)
    assert_as_documented(heard, sample, accept, started)


def test_an_id_of_another_request(stack: Stack, started: str) -> None:
    sample = examples.sample("id-reused")
    heard = connect(stack, sample, "application/json", started)
    assert_as_documented(heard, sample, MediaType.JSON, started)


@pytest.mark.parametrize("media", REQUEST_FORMATS)
@pytest.mark.parametrize("name", REFUSED)
def test_a_problem_in_the_format_of_its_request(name: str, media: str, stack: Stack, fresh: str) -> None:
    sample = examples.sample(name)
    form = MediaType.XML if examples.FORMATS[media] == "xml" else MediaType.JSON
    heard = connect(stack, sample, media, fresh)
    assert heard.media_type == f"application/problem+{examples.FORMATS[form]}"
    assert_as_documented(heard, sample, form, fresh)


def test_an_ocpp_server_that_is_not_there(stack: Stack, fresh: str) -> None:
    sample = examples.sample("server-unreachable")
    heard = connect(stack, sample, "application/json", fresh)
    assert_as_documented(heard, sample, MediaType.JSON, fresh)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method(method: str, stack: Stack) -> None:
    heard = stack.send(method, PATH)
    assert_as_documented(heard, examples.sample("method-not-allowed"), MediaType.JSON)


def test_a_body_that_is_too_large(stack: Stack) -> None:
    heard = stack.send("POST", PATH, b" " * (64 * 1024 + 1), {"Content-Type": "application/json"})
    assert_as_documented(heard, examples.sample("body-too-large"), MediaType.JSON)


def test_another_media_type(stack: Stack) -> None:
    heard = stack.send("POST", PATH, "id=1", {"Content-Type": "text/plain"})
    assert_as_documented(heard, examples.sample("unsupported-media-type"), MediaType.JSON)


def test_a_charger_that_never_answers(stack: Stack) -> None:
    """Two calls at once: one waits, the other hears so."""
    in_progress, unknown = stack.silent()
    documented = examples.sample("attempt-in-progress")
    assert (in_progress.status, in_progress.text) == (409, told(documented))
    assert 1 <= int(in_progress.headers["retry-after"]) <= 29
    assert_described(in_progress, "POST", PATH)
    assert_as_documented(unknown, examples.sample("outcome-unknown"), MediaType.JSON)


def test_an_attempt(stack: Stack, started: str) -> None:
    heard = stack.send("GET", f"{PATH}/{started}")
    assert (heard.status, heard.media_type) == (200, "application/json")
    assert_documented_attempt(json.loads(heard.text), started, stack)
    assert_described(heard, "GET", "/api/v1/ocpp/charger-connect/{id}")


def test_pages_of_attempts(stack: Stack, started: str) -> None:
    connect(stack, examples.sample("status"), "application/json", str(uuid4()), charger="CP-1")
    path, query = "/api/v1/ocpp/chargers/CP-1/attempts", "limit=1"
    found: dict[str, Any] = {}
    while True:
        heard = stack.send("GET", f"{path}?{query}")
        assert_described(heard, "GET", "/api/v1/ocpp/chargers/{chargerId}/attempts")
        page = json.loads(heard.text)
        assert page.keys() == PAGE.keys()
        found |= {attempt["id"]: attempt for attempt in page["attempts"]}
        if page["next"] is None:
            break
        query = f"limit=1&next={page['next']}"
    created = [attempt["createdAt"] for attempt in found.values()]
    assert created == sorted(created, reverse=True)
    assert_documented_attempt(found[started], started, stack)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "next=%21"])
def test_a_page_asked_for_wrongly(query: str, stack: Stack) -> None:
    heard = stack.send("GET", f"/api/v1/ocpp/chargers/CP-1/attempts?{query}")
    assert heard.status == 400
    assert_described(heard, "GET", "/api/v1/ocpp/chargers/{chargerId}/attempts")


def test_an_attempt_that_is_not_there(stack: Stack) -> None:
    heard = stack.send("GET", UNKNOWN_ATTEMPT.path)
    assert heard.text == told(UNKNOWN_ATTEMPT)
    assert_described(heard, "GET", "/api/v1/ocpp/charger-connect/{id}")


def test_a_callback_that_nobody_waits_for(stack: Stack) -> None:
    path = f"/api/v1/ocpp/callbacks/{uuid4()}/1/{'0' * 64}"
    heard = stack.send("POST", path, '{"status":"Accepted"}', {"Content-Type": "application/json"})
    assert heard.status == 404
    assert_described(heard, "POST", "/api/v1/ocpp/callbacks/{id}/{expires}/{signature}")


def assert_documented_attempt(heard: dict[str, Any], id_: str, stack: Stack) -> None:
    """All but what differs from one run to the next."""
    documented = json.loads(stack.ports.localized(json.dumps(ATTEMPT)).replace(ATTEMPT["id"], id_))
    documented["remoteStartId"] = remote_start_id(id_)
    assert heard["milliseconds"].keys() == documented["milliseconds"].keys()
    varying = dict.fromkeys(("createdAt", "updatedAt", "traceId", "milliseconds"))
    assert heard | varying == documented | varying


def test_the_limits_described_are_the_real_ones(stack: Stack) -> None:
    """One more than each limit is refused by name; the limit itself is not."""
    schema = document()["components"]["schemas"]["OcppChargerConnectRequest"]["properties"]
    at = {
        "chargerId": "C" * schema["chargerId"]["maxLength"],
        "tokenId": "T" * schema["tokenId"]["maxLength"],
        "serverRestApiPort": schema["serverRestApiPort"]["maximum"],
    }
    beyond = {"chargerId": at["chargerId"] + "C", "tokenId": at["tokenId"] + "T", "serverRestApiPort": 65536}
    below = {"chargerId": "", "serverRestApiPort": schema["serverRestApiPort"]["minimum"] - 1}
    assert at["serverRestApiPort"] == 65535
    base = {"id": str(uuid4()), "serverIpAddress": "203.0.113.7"}
    assert refused_fields(stack, {**base, **at}) == (403, set())
    assert refused_fields(stack, {**base, **beyond}) == (400, set(beyond))
    assert refused_fields(stack, {**base, **below}) == (400, set(below))


def refused_fields(stack: Stack, request: dict[str, Any]) -> tuple[int, set[str]]:
    heard = stack.send("POST", PATH, json.dumps(request), {"Content-Type": "application/json"})
    return heard.status, {error["field"] for error in json.loads(heard.text).get("errors", ())}


def test_every_sample_is_tried_somewhere() -> None:
    here = {
        *TOLD,
        *REFUSED,
        "accepted",
        "server-unreachable",
        "replayed",
        "id-reused",
        "method-not-allowed",
        "body-too-large",
        "unsupported-media-type",
    }
    here |= {"attempt-in-progress", "outcome-unknown"}
    assert {sample.name for sample in CONNECT} == here | set(FAULTS)
    assert not here & set(FAULTS)


def test_the_document_parses_as_what_it_was() -> None:
    assert yaml.safe_load(openapi()) == json.loads(json.dumps(document()))

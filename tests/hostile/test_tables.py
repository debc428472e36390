"""Tables of hostile requests, sent over sockets: no 5xx, every rejection is a problem document, memory is limited."""

from __future__ import annotations

import json
import os
import random
import tracemalloc
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.hostile import bodies, requests
from tests.hostile.hostile import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hostile.conftest import Count
    from tests.hostile.harness import ReceivedResponse, Stack
    from tests.hostile.hostile import Hostile

MEMORY_LIMIT = 24 * 1024 * 1024
"""Maximum memory of one input in bytes, including that of the embedded table and the gateway."""
SAMPLE_SIZE = 80
"""Number of inputs of a table in a short run, chosen with a fixed seed. HOSTILE=all (make fuzz) sends all."""
CLEAR_INTERVAL = 200
"""Number of inputs after which the embedded table is cleared: it slows down as it fills."""

TABLES: dict[str, Callable[[int], Iterator[Hostile]]] = {
    "numbers": bodies.numbers,
    "texts": bodies.texts,
    "tokens": bodies.tokens,
    "surrogates and broken UTF-8": bodies.surrogates,
    "depth and number": bodies.depths,
    "XML": bodies.malformed_xml,
    "JSON": bodies.malformed_json,
    "forms": bodies.malformed_forms,
    "sizes": bodies.sizes,
    "charsets": bodies.charsets,
    "headers": requests.headers,
    "paths": requests.chargers_in_paths,
    "queries": requests.queries,
    "callbacks": requests.callbacks,
}


@pytest.mark.parametrize("table", TABLES)
def test_hostile_requests_are_rejected_or_executed(table: str, stack: Stack, count_inputs: Count) -> None:
    inputs = list(TABLES[table](stack.target.port))
    if os.environ.get("HOSTILE") != "all" and len(inputs) > SAMPLE_SIZE:
        inputs = random.Random(table).sample(inputs, SAMPLE_SIZE)
    failures: list[str] = []
    statuses: Counter[int] = Counter()
    largest_peak = 0
    tracemalloc.start()
    try:
        for number, hostile in enumerate(inputs):
            if number % CLEAR_INTERVAL == 0:
                stack.table.clear()
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            response = stack.send(hostile.to_bytes(), hostile.method)
            peak = tracemalloc.get_traced_memory()[1] - before
            statuses[response.status] += 1
            largest_peak = max(largest_peak, peak)
            if peak > MEMORY_LIMIT:
                failures.append(f"{hostile.name}: {peak} bytes of memory")
            failures += [f"{hostile.name}: {fault}" for fault in faults(response)]
    finally:
        tracemalloc.stop()
    count_inputs(table, statuses, largest_peak)
    assert failures == []
    assert stack.target.unexpected == []


def test_malformed_http_is_rejected_without_a_server_error(stack: Stack, count_inputs: Count) -> None:
    statuses = {data: stack.send(data).status for data in requests.framing(stack.target.port)}
    count_inputs("framing", {0: len(statuses)}, 0)
    gateway_errors = (
        HTTPStatus.NOT_IMPLEMENTED,
        HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    )  # the gateway's responses to unsupported HTTP
    assert {
        data[:80]: status
        for data, status in statuses.items()
        if status >= 500 and status not in gateway_errors
    } == {}
    assert stack.target.unexpected == []


def test_many_requests_reached_the_ocpp_server(stack: Stack) -> None:
    """Many requests in the tables are valid, and the service executes them."""
    assert stack.target.request_count > 100


def faults(response: ReceivedResponse) -> Iterator[str]:
    """Yield a description of each fault of a response."""
    if response.status == 0:
        yield "no response"
        return
    if not 200 <= response.status < 500:
        yield f"{response.status}: {response.body[:200]!r}"
    if TOKEN.encode() in response.body:
        yield "the token is in the response"
    if b"Traceback" in response.body or b'.py"' in response.body:
        yield "a stack trace"
    media = response.headers.get("content-type", "").partition(";")[0]
    if response.body:
        try:
            document = read(response.body, media)
        except (ValueError, ElementTree.ParseError) as error:
            yield f"{media} cannot be parsed: {error}"
        else:
            if response.status >= 400 and media == "application/json" and set(document) != {"message"}:
                yield "an error that is neither a problem document nor the gateway's"


def read(body: bytes, media: str) -> Any:
    if media.endswith("xml"):
        return ElementTree.fromstring(body.decode())
    if media.endswith("json"):
        return json.loads(body.decode())
    raise ValueError(media)

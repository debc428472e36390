"""Tables of hostile requests, each sent over a socket: no answer of 5xx, every refusal a problem document, memory bounded."""

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

    from tests.hostile.conftest import Counted
    from tests.hostile.hostile import Hostile
    from tests.hostile.stage import Heard, Stage

MOST_MEMORY = 24 * 1024 * 1024
"""Bytes that any one input may need beyond what was there before it, the embedded table and the gateway included."""
SMALL = 80
"""Inputs of a table in a small run, chosen by a fixed seed; HOSTILE=all sends them all (make fuzz)."""
FULL = 200
"""Attempts after which the journal is emptied: the embedded table slows down as it fills."""

TABLES: dict[str, Callable[[int], Iterator[Hostile]]] = {
    "numbers": bodies.numbers,
    "texts": bodies.texts,
    "tokens": bodies.tokens,
    "surrogates and broken UTF-8": bodies.surrogates,
    "depth and number": bodies.depths,
    "XML": bodies.xml_tricks,
    "JSON": bodies.json_tricks,
    "forms": bodies.form_tricks,
    "sizes": bodies.sizes,
    "charsets": bodies.charsets,
    "headers": requests.headers,
    "paths": requests.chargers_in_paths,
    "queries": requests.queries,
    "callbacks": requests.callbacks,
}


@pytest.mark.parametrize("table", TABLES)
def test_hostile_requests_are_refused_or_read(table: str, stage: Stage, counted: Counted) -> None:
    inputs = list(TABLES[table](stage.target.port))
    if os.environ.get("HOSTILE") != "all" and len(inputs) > SMALL:
        inputs = random.Random(table).sample(inputs, SMALL)
    wrong: list[str] = []
    statuses: Counter[int] = Counter()
    most = 0
    tracemalloc.start()
    try:
        for number, hostile in enumerate(inputs):
            if number % FULL == 0:
                stage.table.clear()
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            heard = stage.send(hostile.on_the_wire(), hostile.method)
            peak = tracemalloc.get_traced_memory()[1] - before
            statuses[heard.status] += 1
            most = max(most, peak)
            if peak > MOST_MEMORY:
                wrong.append(f"{hostile.name}: {peak} bytes of memory")
            wrong += [f"{hostile.name}: {fault}" for fault in faults(heard)]
    finally:
        tracemalloc.stop()
    counted(table, statuses, most)
    assert wrong == []
    assert stage.target.strays == []


def test_what_is_not_quite_http_ends_as_it_should(stage: Stage, counted: Counted) -> None:
    statuses = {data: stage.send(data).status for data in requests.framing(stage.target.port)}
    counted("framing", {0: len(statuses)}, 0)
    own = (
        HTTPStatus.NOT_IMPLEMENTED,
        HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    )  # what a gateway says of HTTP itself
    assert {
        data[:80]: status for data, status in statuses.items() if status >= 500 and status not in own
    } == {}
    assert stage.target.strays == []


def test_the_ocpp_server_was_asked(stage: Stage) -> None:
    """The tables reach all the way: much of what they hold is a request that is carried out."""
    assert stage.target.asked > 100


def faults(heard: Heard) -> Iterator[str]:
    """What is wrong with an answer."""
    if heard.status == 0:
        yield "no answer"
        return
    if not 200 <= heard.status < 500:
        yield f"{heard.status}: {heard.body[:200]!r}"
    if TOKEN.encode() in heard.body:
        yield "the token is told"
    if b"Traceback" in heard.body or b'.py"' in heard.body:
        yield "a stack trace"
    media = heard.headers.get("content-type", "").partition(";")[0]
    if heard.body:
        try:
            document = read(heard.body, media)
        except (ValueError, ElementTree.ParseError) as error:
            yield f"{media} cannot be read: {error}"
        else:
            if heard.status >= 400 and media == "application/json" and set(document) != {"message"}:
                yield "an error that is neither a problem document nor the gateway's"


def read(body: bytes, media: str) -> Any:
    if media.endswith("xml"):
        return ElementTree.fromstring(body.decode())
    if media.endswith("json"):
        return json.loads(body.decode())
    raise ValueError(media)

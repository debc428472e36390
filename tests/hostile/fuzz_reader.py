"""A coverage-guided fuzzer of the request parser: `python -m tests.hostile.fuzz_reader -runs=100000 -seed=1 CORPUS`.

An input's first byte selects the Content-Type, the rest is the body. Every input is parsed, or rejected with a problem
that can be written and parsed again in every format. No other exception is raised. The options are those of libFuzzer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final
from uuid import UUID
from xml.etree import ElementTree

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

from scripts.import_roots import import_roots

sys.path[:0] = map(str, import_roots())
with atheris.instrument_imports(
    include=["common.wire", "charger_connect.request", "charger_link.addresses", "xmltodict"]
):
    from charger_connect.request import ConnectRequest
    from common.wire import MediaType, OcppStatusResponse, Problem, ProblemError, read_request, write_response
    from common.wire import xml_body as _xml_body  # noqa: F401 - so that it is instrumented: the parser imports it at the first XML body

CONTENT_TYPES: Final = (
    "application/json",
    "text/json; charset=utf-16",
    "application/xml",
    "text/xml; charset=utf-16",
    "application/x-www-form-urlencoded",
    "application/xml; charset=utf-16be",
)


def test_one_input(data: bytes) -> None:
    """Parse one input, and write and parse the result in every format."""
    content_type, body = CONTENT_TYPES[data[0] % len(CONTENT_TYPES)] if data else None, data[1:]
    try:
        request = read_request(body, content_type, ConnectRequest, connectorId=None)
    except ProblemError as error:
        message: OcppStatusResponse | Problem = error.problem
    else:
        assert isinstance(request.id, UUID)
        assert request.chargerId
        message = OcppStatusResponse(request.id, request.chargerId, 0, "NoError", "Accepted", request.tokenId)
    assert isinstance(message, OcppStatusResponse) or 400 <= message.status < 500
    for media in MediaType:
        text = write_response(message, media)[1]
        text.encode()
        if media.is_xml:
            ElementTree.fromstring(text)
        else:
            json.loads(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()

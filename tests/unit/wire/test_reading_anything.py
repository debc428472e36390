"""Properties of every body: it is parsed as the sender meant it, or rejected. No rejection contains a token."""

from __future__ import annotations

import json
import traceback
from urllib.parse import urlencode
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.wire import (
    MediaType,
    OcppChargerConnectRequest,
    OcppStatusResponse,
    ProblemError,
    read_request,
    write_response,
)
from tests.unit.wire.bodies import ID, MODELS, TOKEN, xml

FORM = "application/x-www-form-urlencoded"
NAMES = ["id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort"]

# Text that each format can represent: no surrogates, and no character that XML 1.0 forbids or normalizes.
text = st.text(
    st.characters(codec="utf-8", min_codepoint=0x20, exclude_characters="\ufffd\ufffe\uffff\x7f\x85\u2028"),
    max_size=60,
)
valid_fields = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "chargerId": st.none() | text,
        "tokenId": st.none() | text,
        "serverIpAddress": st.none() | text,
        "serverRestApiPort": st.none() | st.integers(-(2**31), 2**31 - 1),
    }
)
Values = dict[str, str | int | None]

check = settings(derandomize=True, deadline=None, max_examples=200)


@given(valid_fields)
@check
def test_json_is_parsed_to_the_values_that_were_written(values: Values) -> None:
    for ascii_only in (True, False):
        assert read(json.dumps(values, ensure_ascii=ascii_only).encode(), "application/json") == values


@given(valid_fields)
@check
def test_xml_is_parsed_to_the_values_that_were_written(values: Values) -> None:
    root = ElementTree.Element(f"{{{MODELS}}}OcppChargerConnectRequest")
    for name, value in values.items():
        if value is not None:
            ElementTree.SubElement(root, f"{{{MODELS}}}{name}").text = str(value)
    for encoding in ("utf-8", "utf-16"):
        assert read(ElementTree.tostring(root, encoding), f"text/xml; charset={encoding}") == values


@given(valid_fields)
@check
def test_a_form_is_parsed_to_the_values_that_were_written(values: Values) -> None:
    body = urlencode({name: value for name, value in values.items() if value is not None}).encode()
    blank_is_null = {name: None if str(value).strip() == "" else value for name, value in values.items()}
    assert read(body, FORM) == blank_is_null


@given(valid_fields, st.sampled_from(["spaces", "nonsense"]))
@check
def test_a_response_is_the_same_in_json_and_xml(values: Values, status: str) -> None:
    message = OcppStatusResponse(UUID(str(values["id"])), str(values["chargerId"]), 7, "NoError", status, "i")
    in_json = json.loads(write_response(message, MediaType.JSON)[1])
    root = ElementTree.fromstring(write_response(message, MediaType.XML)[1])
    assert {element.tag.partition("}")[2]: element.text or "" for element in root} == {
        name: str(value) for name, value in in_json.items()
    }


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
content_types = st.sampled_from(
    [*MediaType, FORM, "application/json; charset=utf-16", "text/xml;charset=utf-16be"]
)


@given(anything, content_types)
@check
def test_any_json_is_parsed_or_rejected(value: object, content_type: str) -> None:
    parse_or_reject(json.dumps(value).encode(), content_type)


@given(st.binary(max_size=200), content_types)
@example(b"\xff\xfe", "application/json; charset=utf-16")
@example(b"\xef\xbb\xbf", "application/xml")
@check
def test_any_bytes_are_parsed_or_rejected(body: bytes, content_type: str) -> None:
    parse_or_reject(body, content_type)


@given(st.data(), st.sampled_from(["json", "xml", "form"]))
@check
def test_any_typo_in_a_valid_body_is_parsed_or_rejected(data: st.DataObject, shape: str) -> None:
    body, content_type = {
        "json": (
            f'{{"id":"{ID}","chargerId":"CP","tokenId":"T\\u00e9","serverRestApiPort":80}}',
            "application/json",
        ),
        "xml": (xml('<chargerId i:nil="true"/><tokenId>T&#233;<![CDATA[x]]></tokenId>'), "application/xml"),
        "form": (f"id={ID}&chargerId=C+P&tokenId=%C3%A9&serverRestApiPort=80", FORM),
    }[shape]
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 5)))
    typo = data.draw(st.text(st.sampled_from('<>&;%+=!?[]-:"\\{},/ \t\0\x0bux0a9é🚗'), max_size=6))
    parse_or_reject((body[:start] + typo + body[end:]).encode(), content_type)


REJECTED = [
    (f'{{"id":5,"tokenId":"{TOKEN}","serverRestApiPort":"x"}}', "application/json"),
    (f'{{"id":"{ID}","tokenId":"{TOKEN}\\ud800"}}', "application/json"),
    (f'{{"id":"{ID}","tokenId":["{TOKEN}"]}}', "application/json"),
    (f'{{"id":"{TOKEN}","serverRestApiPort":"{TOKEN}"}}', "application/json"),
    (f'{{"id":"{ID}","tokenId":"{TOKEN}"', "application/json"),
    (f'{{"id":"{ID}","tokenId":"{TOKEN}\\x"}}', "application/json"),
    (xml(f"<tokenId>{TOKEN}<b/></tokenId>"), "text/xml"),
    (xml(f"<tokenId>{TOKEN}</tokenIx>"), "text/xml"),
    (xml(f"<tokenId>&{TOKEN};</tokenId>"), "text/xml"),
    (f"tokenId={TOKEN}", FORM),
    (f"id={ID}&tokenId={TOKEN}%FF", FORM),
    (TOKEN, "text/plain"),
    (TOKEN, f"application/{TOKEN}"),
]


@pytest.mark.parametrize(("body", "content_type"), REJECTED)
def test_no_rejection_contains_the_token(body: str, content_type: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_request(body.encode(), content_type)
    for media in (MediaType.JSON, MediaType.XML):
        assert TOKEN not in write_response(caught.value.problem, media)[1]
    printed = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in printed + repr(caught.value) + str(caught.value)


def test_the_repr_of_a_request_does_not_contain_the_token() -> None:
    request = read_request(f'{{"id":"{ID}","tokenId":"{TOKEN}"}}'.encode(), "application/json")
    assert request.tokenId == TOKEN
    assert TOKEN not in repr(request) + str(request)


def test_a_validation_error_does_not_contain_the_token() -> None:
    with pytest.raises(ValidationError) as caught:
        OcppChargerConnectRequest.model_validate({"id": ID, "tokenId": [TOKEN]})
    assert TOKEN not in str(caught.value)


def read(body: bytes, content_type: str) -> Values:
    return read_request(body, content_type).model_dump(mode="json")


def parse_or_reject(body: bytes, content_type: str) -> None:
    """Parse a body. What was parsed can be encoded as UTF-8. An exception other than a ProblemError fails the test."""
    rejection: ProblemError | None = None
    try:
        read_request(body, content_type).model_dump_json().encode()
    except ProblemError as error:
        rejection = error
    if rejection is not None:
        assert rejection.problem.status == 400
        assert rejection.problem.errors

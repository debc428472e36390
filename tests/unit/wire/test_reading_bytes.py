from __future__ import annotations

import codecs

import pytest

from common.wire import MAX_BODY_BYTES, read_request
from tests.unit.wire.bodies import ID, UUID_, fields_of, problem_of, read_xml, xml

BODY = f'{{"id":"{ID}","chargerId":"Zürich 🚗"}}'


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json", "text/json", "APPLICATION/JSON", " application/json ", "application/json;"),
        *(
            "application/json;foo=bar",
            'application/json; charset="UTF-8"',
            "application/json; charset=klingon",
            "text/json;;",
        ),
        'application/json; a="; charset=utf-16"',
    ],
)
def test_a_media_type_is_recognized_in_any_valid_spelling(content_type: str) -> None:
    assert read_request(BODY.encode(), content_type).chargerId == "Zürich 🚗"


@pytest.mark.parametrize(
    "content_type",
    [
        *(
            None,
            "",
            "json",
            "/",
            "text/plain",
            "application/*",
            "*/*",
            "application/soap+xml",
            "multipart/form-data; boundary=x",
        ),
        *(
            "application/json, application/json",
            "application /json",
            "application/jsön",
            "application/json x",
            "a" * 9_000,
        ),
    ],
)
def test_an_unsupported_media_type_is_415_and_the_supported_ones_are_listed(content_type: str | None) -> None:
    problem = problem_of(BODY, content_type)
    assert problem.status == 415
    assert "application/x-www-form-urlencoded" in problem.detail


@pytest.mark.parametrize("content_type", [None, "json", "text/plain", "application/json", "text/xml"])
def test_a_missing_body_is_400_with_any_media_type(content_type: str | None) -> None:
    problem = problem_of(b"", content_type)
    assert (problem.status, fields_of(problem)) == (400, ["body"])


def test_a_body_of_64_kib_is_accepted_and_one_byte_more_is_413() -> None:
    padded = BODY.encode().ljust(MAX_BODY_BYTES)
    assert len(padded) == 65_536
    assert read_request(padded, "text/json").id == UUID_
    assert problem_of(padded + b" ", "text/json").status == 413
    assert problem_of(padded + b" ", "text/plain").status == 413


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("utf-8", codecs.BOM_UTF8 + BODY.encode()),
        ("iso-8859-1", BODY.encode()),
        ("utf-16", BODY.encode("utf-16-le")),
        ("UTF-16", codecs.BOM_UTF16_LE + BODY.encode("utf-16-le")),
        ("utf-16", codecs.BOM_UTF16_BE + BODY.encode("utf-16-be")),
        ("utf-16le", BODY.encode("utf-16-le")),
        ("utf-16be", BODY.encode("utf-16-be")),
        ("utf-16be", codecs.BOM_UTF16_LE + BODY.encode("utf-16-le")),
    ],
)
def test_the_body_is_decoded_with_the_charset_of_the_content_type(charset: str, body: bytes) -> None:
    assert read_request(body, f"application/json; charset={charset}").chargerId == "Zürich 🚗"


def test_the_encoding_in_an_xml_declaration_is_ignored() -> None:
    declared = '<?xml version="1.0" encoding="utf-16"?>' + xml("<chargerId>Zürich</chargerId>")
    assert read_xml(declared).chargerId == "Zürich"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("utf-8", b'{"id":"\xff"}'),
        ("utf-8", b'{"x":"\xed\xa0\x80"}'),
        ("iso-8859-1", BODY.encode("iso-8859-1", "replace") + b"\xe9"),
        ("utf-16", b"{}{"),
        ("utf-16", b"\x00\xd8" * 4),
        ("utf-16", BODY.encode()),
        ("utf-8", codecs.BOM_UTF16_LE + BODY.encode("utf-16-le")),
        ("utf-16", BODY.encode("utf-16").decode("utf-8", "replace").encode()),
    ],
)
def test_bytes_that_are_invalid_in_the_charset_are_400(charset: str, body: bytes) -> None:
    problem = problem_of(body, f"application/json; charset={charset}")
    assert (problem.status, fields_of(problem)) == (400, ["body"])


def test_replacement_characters_from_an_earlier_decoding_are_400() -> None:
    body = BODY.encode("iso-8859-1", "replace").decode("utf-8", "replace").encode()
    assert fields_of(problem_of(body)) == ["chargerId"]
    assert fields_of(problem_of(xml("<tokenId>\ufffd</tokenId>"), "text/xml")) == ["tokenId"]

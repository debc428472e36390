from __future__ import annotations

import json
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.wire import PROBLEM_TYPES, FieldError, MediaType, OcppStatusResponse, make_problem, write_response
from tests.unit.wire.bodies import INSTANCE, MODELS, UUID_

PROBLEMS = "{urn:ietf:rfc:7807}"
ORDER = ["chargerId", "connectorId", "errorCode", "id", "info", "status"]


def response(charger: str = "CP-1", info: str | None = None) -> OcppStatusResponse:
    return OcppStatusResponse(UUID_, charger, 1, "NoError", "Accepted", info)


@pytest.mark.parametrize("media", MediaType)
def test_the_content_type_is_the_given_media_type_in_utf_8(media: MediaType) -> None:
    assert write_response(response(), media)[0] == f"{media}; charset=utf-8"


def test_null_and_the_empty_string_differ() -> None:
    assert '<info i:nil="true" />' in write_response(response(), MediaType.XML)[1]
    assert "<info></info>" in write_response(response(info=""), MediaType.XML)[1]
    assert json.loads(write_response(response(), MediaType.JSON)[1])["info"] is None
    assert json.loads(write_response(response(info=""), MediaType.JSON)[1])["info"] == ""


@pytest.mark.parametrize(
    "text", ["{", "{0}", "{chargerId}", "}}", "%s", "&#xD;", '"></info>', ' i:nil="true"', "]]>"]
)
def test_a_value_that_looks_like_markup_or_a_placeholder_stays_text(text: str) -> None:
    root = ElementTree.fromstring(write_response(response(text, text), MediaType.XML)[1])
    assert [root.findtext(f"{{{MODELS}}}{name}") for name in ("chargerId", "info")] == [text, text]


@given(text=st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None)))
@settings(derandomize=True, deadline=None)
def test_any_text_is_written_as_a_document_that_can_be_parsed(text: str) -> None:
    replaced = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    as_json = write_response(response(text, text), MediaType.JSON)[1]
    assert json.loads(as_json.encode())["chargerId"] == replaced
    expected = "".join(
        char if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff") else "\ufffd"
        for char in replaced
    )
    for body, namespace, name in (
        (write_response(response(text, text), MediaType.XML)[1], MODELS, "chargerId"),
        (write_response(make_problem("internal-error", text), MediaType.XML)[1], PROBLEMS[1:-1], "detail"),
    ):
        assert ElementTree.fromstring(body.encode()).findtext(f"{{{namespace}}}{name}") == expected


def test_elements_are_in_the_order_that_net_requires() -> None:
    root = ElementTree.fromstring(write_response(response(info="x"), MediaType.TEXT_XML)[1])
    assert [element.tag for element in root] == [f"{{{MODELS}}}{name}" for name in ORDER]
    assert root.find(f"*[@{{{INSTANCE}}}nil]") is None


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
@pytest.mark.parametrize("media", MediaType)
def test_each_problem_is_the_same_in_both_formats(slug: str, media: MediaType) -> None:
    problem_type = PROBLEM_TYPES[slug]
    content_type, body = write_response(make_problem(slug, "Why & what to do", instance="/x/1"), media)
    expected = {
        "type": f"/problems/{slug}",
        "title": problem_type.title,
        "status": problem_type.status,
        "detail": "Why & what to do",
        "instance": "/x/1",
    } | ({"outcome": problem_type.outcome} if problem_type.outcome else {})
    if media.is_xml:
        assert content_type == "application/problem+xml; charset=utf-8"
        root = ElementTree.fromstring(body)
        assert root.tag == f"{PROBLEMS}problem"
        assert {element.tag.removeprefix(PROBLEMS): element.text for element in root} == {
            name: str(value) for name, value in expected.items()
        }
    else:
        assert content_type == "application/problem+json; charset=utf-8"
        assert json.loads(body) == expected


def test_the_errors_of_a_problem_are_a_list() -> None:
    errors = [FieldError("id", "must <be>"), FieldError("tokenId", "é")]
    for count in (1, 2):
        document = make_problem("invalid-request", "d", errors=errors[:count])
        assert (
            json.loads(write_response(document, MediaType.JSON)[1])["errors"]
            == [
                {"field": "id", "message": "must <be>"},
                {"field": "tokenId", "message": "é"},
            ][:count]
        )
        items = ElementTree.fromstring(write_response(document, MediaType.XML)[1]).findall(
            f"{PROBLEMS}errors/{PROBLEMS}i"
        )
        assert [
            (item.findtext(f"{PROBLEMS}field"), item.findtext(f"{PROBLEMS}message")) for item in items
        ] == [
            ("id", "must <be>"),
            ("tokenId", "é"),
        ][:count]


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_every_conflict_and_server_error_has_an_outcome(slug: str) -> None:
    document = make_problem(slug, "d")
    assert (document.outcome is not None) == (document.status == 409 or document.status >= 500)
    assert document.outcome == PROBLEM_TYPES[slug].outcome


def test_a_given_outcome_replaces_the_outcome_of_the_type() -> None:
    assert make_problem("internal-error", "d", outcome="not-started").outcome == "not-started"


def test_an_unknown_problem_type_raises_a_key_error() -> None:
    with pytest.raises(KeyError):
        make_problem("nonsense", "d")


def test_an_id_is_written_in_lower_case_with_hyphens() -> None:
    message = OcppStatusResponse(UUID("ABCDEF00000000000000000000000000"), "CP", 0, "NoError", "Rejected")
    assert '"id":"abcdef00-0000-0000-0000-000000000000"' in write_response(message, MediaType.JSON)[1]
    assert "<id>abcdef00-0000-0000-0000-000000000000</id>" in write_response(message, MediaType.XML)[1]

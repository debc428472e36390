from __future__ import annotations

import json
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.wire.bodies import INSTANCE, MODELS, UUID_
from wire import PROBLEM_TYPES, FieldError, MediaType, OcppStatusResponse, problem, write

PROBLEMS = "{urn:ietf:rfc:7807}"
ORDER = ["chargerId", "connectorId", "errorCode", "id", "info", "status"]


def answer(charger: str = "CP-1", info: str | None = None) -> OcppStatusResponse:
    return OcppStatusResponse(UUID_, charger, 1, "NoError", "Accepted", info)


@pytest.mark.parametrize("media", MediaType)
def test_the_media_type_is_the_one_asked_for_in_utf_8(media: MediaType) -> None:
    assert write(answer(), media)[0] == f"{media}; charset=utf-8"


def test_null_and_the_empty_string_differ() -> None:
    assert '<info i:nil="true" />' in write(answer(), MediaType.XML)[1]
    assert "<info></info>" in write(answer(info=""), MediaType.XML)[1]
    assert json.loads(write(answer(), MediaType.JSON)[1])["info"] is None
    assert json.loads(write(answer(info=""), MediaType.JSON)[1])["info"] == ""


@pytest.mark.parametrize(
    "text", ["{", "{0}", "{chargerId}", "}}", "%s", "&#xD;", '"></info>', ' i:nil="true"', "]]>"]
)
def test_a_value_that_looks_like_markup_or_a_place_stays_text(text: str) -> None:
    root = ElementTree.fromstring(write(answer(text, text), MediaType.XML)[1])
    assert [root.findtext(f"{{{MODELS}}}{name}") for name in ("chargerId", "info")] == [text, text]


@given(text=st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None)))
@settings(derandomize=True, deadline=None)
def test_any_text_leaves_a_document_that_can_be_read(text: str) -> None:
    replaced = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    as_json = write(answer(text, text), MediaType.JSON)[1]
    assert json.loads(as_json.encode())["chargerId"] == replaced
    lasting = "".join(
        char if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff") else "\ufffd"
        for char in replaced
    )
    for body, namespace, name in (
        (write(answer(text, text), MediaType.XML)[1], MODELS, "chargerId"),
        (write(problem("internal-error", text), MediaType.XML)[1], PROBLEMS[1:-1], "detail"),
    ):
        assert ElementTree.fromstring(body.encode()).findtext(f"{{{namespace}}}{name}") == lasting


def test_elements_stand_in_the_order_that_net_reads() -> None:
    root = ElementTree.fromstring(write(answer(info="x"), MediaType.TEXT_XML)[1])
    assert [element.tag for element in root] == [f"{{{MODELS}}}{name}" for name in ORDER]
    assert root.find(f"*[@{{{INSTANCE}}}nil]") is None


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
@pytest.mark.parametrize("media", MediaType)
def test_each_problem_says_the_same_in_both_formats(slug: str, media: MediaType) -> None:
    kind = PROBLEM_TYPES[slug]
    content_type, body = write(problem(slug, "Why & what to do", instance="/x/1"), media)
    expected = {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": "Why & what to do",
        "instance": "/x/1",
    } | ({"outcome": kind.outcome} if kind.outcome else {})
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
        found = problem("invalid-request", "d", errors=errors[:count])
        assert (
            json.loads(write(found, MediaType.JSON)[1])["errors"]
            == [
                {"field": "id", "message": "must <be>"},
                {"field": "tokenId", "message": "é"},
            ][:count]
        )
        items = ElementTree.fromstring(write(found, MediaType.XML)[1]).findall(
            f"{PROBLEMS}errors/{PROBLEMS}i"
        )
        assert [
            (item.findtext(f"{PROBLEMS}field"), item.findtext(f"{PROBLEMS}message")) for item in items
        ] == [
            ("id", "must <be>"),
            ("tokenId", "é"),
        ][:count]


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_every_conflict_and_failure_says_what_may_have_happened(slug: str) -> None:
    found = problem(slug, "d")
    assert (found.outcome is not None) == (found.status == 409 or found.status >= 500)
    assert found.outcome == PROBLEM_TYPES[slug].outcome


def test_a_problem_may_know_more_than_its_type() -> None:
    assert problem("internal-error", "d", outcome="not-started").outcome == "not-started"


def test_a_problem_of_no_known_type_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        problem("nonsense", "d")


def test_an_id_is_written_in_lower_case_with_hyphens() -> None:
    message = OcppStatusResponse(UUID("ABCDEF00000000000000000000000000"), "CP", 0, "NoError", "Rejected")
    assert '"id":"abcdef00-0000-0000-0000-000000000000"' in write(message, MediaType.JSON)[1]
    assert "<id>abcdef00-0000-0000-0000-000000000000</id>" in write(message, MediaType.XML)[1]

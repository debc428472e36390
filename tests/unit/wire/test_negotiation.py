from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.wire import MediaType, negotiate

JSON, TEXT_JSON, XML, TEXT_XML = MediaType


@pytest.mark.parametrize(
    ("content_type", "media"),
    [
        ("application/json", JSON),
        ("text/json; charset=utf-16", TEXT_JSON),
        ("Application/XML", XML),
        ("text/xml;x=y", TEXT_XML),
        ("application/x-www-form-urlencoded", JSON),
        ("text/plain", JSON),
        ("text/*", JSON),
        ("*/*", JSON),
        ("nonsense", JSON),
        (None, JSON),
    ],
)
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "  ",
        ",",
        "text/html",
        "xml",
        "*/json",
        "text/xml;q=0",
        "*/*;q=0, text/json;q=0.000",
        "a/b, c",
        "/",
        ";q=1",
    ],
)
def test_if_accept_names_no_known_type_the_response_has_the_format_of_the_request(
    content_type: str | None, media: MediaType, accept: str | None
) -> None:
    assert negotiate(content_type, accept, None) is media


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/xml", XML),
        ("TEXT/XML", TEXT_XML),
        (" text/json ", TEXT_JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", TEXT_JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", XML),
        ("application/xml;q=0.5, application/json;q=0.5", JSON),
        ("text/xml, application/xml", TEXT_XML),
        ("application/xml, text/json", TEXT_JSON),
        ("text/*, application/xml", XML),
        ("*/*, text/*", TEXT_JSON),
        ("*/*, application/xml", XML),
        ("application/xml;q=0.1, */*;q=0.01", XML),
        ("application/xml;q=0.1, */*;q=0.2", JSON),
        ("application/xml;q=.5, text/json;q=.4", XML),
        ("application/xml; charset=utf-16; q=0.4, text/json;version=1;q=0.3", XML),
        ("application/json;q=0, text/xml", TEXT_XML),
        ("text/xml;q=2, application/json", JSON),
        ("text/xml;q=nonsense", TEXT_XML),
        ("xml, text/xml", TEXT_XML),
        ('text/xml;x="a,b"', TEXT_XML),
    ],
)
def test_the_most_preferred_type_in_accept_is_chosen(accept: str, media: MediaType) -> None:
    for content_type in ("application/json", "text/xml", None):
        assert negotiate(content_type, accept, None) is media


@pytest.mark.parametrize(
    ("accept", "requested_with", "media"),
    [
        (None, "XMLHttpRequest", JSON),
        ("*/*", "xmlhttprequest", JSON),
        (None, "Fetch", TEXT_XML),
        ("application/xml", "XMLHttpRequest", XML),
        ("text/html", "XMLHttpRequest", TEXT_XML),
    ],
)
def test_a_script_that_sends_no_accept_header_receives_json(
    accept: str | None, requested_with: str, media: MediaType
) -> None:
    assert negotiate("text/xml", accept, requested_with) is media


header = st.none() | st.text(max_size=40) | st.text(alphabet='*/;,=q.01 "xmltejsonapic', max_size=60)


@given(content_type=header, accept=header, requested_with=header)
@settings(derandomize=True, deadline=None)
def test_any_headers_select_one_of_the_four_types(
    content_type: str | None, accept: str | None, requested_with: str | None
) -> None:
    assert negotiate(content_type, accept, requested_with) in MediaType

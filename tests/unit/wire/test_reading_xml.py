from __future__ import annotations

import pytest

from tests.unit.wire.bodies import ID, INSTANCE, MODELS, UUID_, fields_of, problem_of, read_xml, xml


def test_elements_are_matched_by_namespace_with_any_prefix() -> None:
    request = read_xml(
        f'<a:OcppChargerConnectRequest xmlns:a="{MODELS}" xmlns:b="{MODELS}"><b:chargerId>CP</b:chargerId>'
        f'<a:id>{ID}</a:id><tokenId>T</tokenId><c:serverIpAddress xmlns:c="urn:x">1.2.3.4</c:serverIpAddress>'
        f'<serverRestApiPort xmlns="{MODELS}">80</serverRestApiPort></a:OcppChargerConnectRequest>'
    )
    assert (request.id, request.chargerId, request.serverRestApiPort) == (UUID_, "CP", 80)
    assert (request.tokenId, request.serverIpAddress) == (None, None)


@pytest.mark.parametrize(
    "root",
    [
        f"<OcppChargerConnectRequest><id>{ID}</id></OcppChargerConnectRequest>",
        f'<OcppChargerConnectRequest xmlns="{MODELS}s"><id>{ID}</id></OcppChargerConnectRequest>',
        f'<OcppStatusResponse xmlns="{MODELS}"><id>{ID}</id></OcppStatusResponse>',
        f'<x xmlns="{MODELS}"><OcppChargerConnectRequest><id>{ID}</id></OcppChargerConnectRequest></x>',
        "<x/>",
        "<x>text</x>",
        f'<OcppChargerConnectRequest xmlns="{MODELS}" xmlns:i="{INSTANCE}" i:nil="true"/>',
    ],
)
def test_another_root_is_rejected(root: str) -> None:
    problem = problem_of(root, "text/xml")
    assert (problem.status, fields_of(problem)) == (400, ["body"])


@pytest.mark.parametrize("prefix", ["i", "xsi", "nil"])
@pytest.mark.parametrize("value", ["true", "1", " true "])
def test_nil_is_matched_by_namespace_and_takes_precedence_over_content(prefix: str, value: str) -> None:
    for content in ("", "CP"):
        element = f'<chargerId xmlns:{prefix}="{INSTANCE}" {prefix}:nil="{value}">{content}</chargerId>'
        assert read_xml(xml(element)).chargerId is None


@pytest.mark.parametrize(
    "attribute", ['nil="true"', 'i:nil="false"', 'i:nil="0"', 'xmlns:o="urn:o" o:nil="true"', 'i:type="x"']
)
def test_other_attributes_are_ignored(attribute: str) -> None:
    assert read_xml(xml(f"<chargerId {attribute}>CP</chargerId>")).chargerId == "CP"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", ""),
        ("   ", "   "),
        (" CP ", " CP "),
        ("a<!-- c -->b", "ab"),
        ("<![CDATA[<&>]]>x", "<&>x"),
        ("&amp;&lt;&gt;&quot;&apos;&#233;&#x1F697;", "&<>\"'é🚗"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a&#13;b", "a\rb"),
        ("🚗⚡", "🚗⚡"),
    ],
)
def test_text_is_kept_and_decoded(content: str, value: str) -> None:
    assert read_xml(xml(f"<chargerId>{content}</chargerId>")).chargerId == value


def test_a_self_closing_tag_is_the_empty_string() -> None:
    assert read_xml(xml("<chargerId/>")).chargerId == ""


def test_the_first_of_duplicate_elements_wins_even_if_it_is_nil_or_empty() -> None:
    assert read_xml(xml("<tokenId>1</tokenId><tokenId>2</tokenId><tokenId>3</tokenId>")).tokenId == "1"
    assert read_xml(xml('<tokenId i:nil="true"/><tokenId>2</tokenId>')).tokenId is None
    assert read_xml(xml("<tokenId/><tokenId>2</tokenId>")).tokenId == ""


def test_a_field_that_contains_elements_is_rejected_with_the_field_name() -> None:
    problem = problem_of(
        xml("<tokenId>a<b/>c</tokenId><serverRestApiPort><x/></serverRestApiPort>"), "text/xml"
    )
    assert fields_of(problem) == ["tokenId", "serverRestApiPort"]


@pytest.mark.parametrize(("content", "port"), [("\n 8080\t", 8080), ("+8080", 8080), ("007", 7), ("", None)])
def test_blanks_around_a_port_are_stripped(content: str, port: int | None) -> None:
    assert read_xml(xml(f"<serverRestApiPort>{content}</serverRestApiPort>")).serverRestApiPort == port


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        f"<!DOCTYPE x>{xml('')}",
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd">{xml("")}',
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "http://169.254.169.254/">]>{xml("<chargerId>&e;</chargerId>")}',
        f"{BOMB}]>{xml('<chargerId>&i;</chargerId>')}",
        f"<?foo bar?>{xml('')}",
        f"{xml('')}<?foo?>",
        xml("<chargerId><?foo?></chargerId>"),
        xml("<chargerId>&foo;</chargerId>"),
        xml("<chargerId>&#0;</chargerId>"),
        xml("<chargerId>\0</chargerId>"),
        xml("<chargerId>\ufffe</chargerId>"),
        xml("") + xml(""),
        xml("") + "text",
        "text" + xml(""),
        xml("")[:-1],
        xml("<p:chargerId/>"),
        xml('<chargerId a="1" a="2"/>'),
        "<" * 60_000,
        "<a>" * 20_000,
        xml("<x>" * 40 + "</x>" * 40),
        xml("<x/>" * 1_001),
    ],
)
def test_malformed_or_unsupported_xml_is_rejected(text: str) -> None:
    problem = problem_of(text, "application/xml")
    assert (problem.status, fields_of(problem)) == (400, ["body"])


def test_unknown_elements_within_the_limits_are_ignored() -> None:
    assert read_xml(xml("<x>" * 31 + "</x>" * 31 + "<x/>" * 900)).id == UUID_


def test_a_rejection_names_the_unsupported_feature_or_the_position() -> None:
    assert "DOCTYPE" in problem_of(f"<!DOCTYPE x>{xml('')}", "text/xml").errors[0].message
    assert "processing instruction" in problem_of(f"<?a?>{xml('')}", "text/xml").errors[0].message
    assert "line 1, column" in problem_of("<a", "text/xml").errors[0].message

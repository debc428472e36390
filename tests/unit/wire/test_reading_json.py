from __future__ import annotations

import pytest

from common.wire import ProblemError
from tests.unit.wire.bodies import ID, UUID_, fields_of, problem_of, read_field, read_json


def test_the_last_of_duplicate_fields_in_any_letter_case_wins() -> None:
    assert read_json(f'{{"id":"{ID}","chargerId":"1","CHARGERID":"2","chargerId":"3"}}').chargerId == "3"
    assert read_json(f'{{"id":"{ID}","chargerId":"1","chargerId":"3","ChargerId":"2"}}').chargerId == "2"


def test_a_name_with_a_similar_looking_letter_is_another_name() -> None:
    assert read_json(f'{{"id":"{ID}","to\u212aenId":"T"}}').tokenId is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('" CP 1\\t"', " CP 1\t"),
        ('"a\tb\nc"', "a\tb\nc"),  # unescaped, which JSON forbids and Json.NET accepts
        ('""', ""),
        ("null", None),
        ("5", "5"),
        ("-0.50", "-0.5"),
        ("1e3", "1000"),
        ("1e15", "1E+15"),
        ("1e20", "1E+20"),
        ("5.0", "5"),
        ("0.00001", "1E-05"),
        ("0.30000000000000004", "0.3"),
        ("true", "true"),
        ("false", "false"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"\\ud83d\\ude97"', "🚗"),
        ('"a\\u0000b"', "a\0b"),
    ],
)
def test_a_string_field_keeps_its_text(text: str, value: str | None) -> None:
    assert read_field("chargerId", text) == value


@pytest.mark.parametrize(
    "text", ["[]", "{}", '["a"]', "1e400", "-1e400", '"\\ud83d"', '"a\\udc00"', '"\\ufffd"']
)
def test_a_value_that_is_not_valid_text_is_rejected_with_the_field_name(text: str) -> None:
    problem = problem_of(f'{{"id":"{ID}","tokenId":{text}}}')
    assert (problem.status, fields_of(problem)) == (400, ["tokenId"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        ('"8080"', 8080),
        ('" +8080 "', 8080),
        ('"-5"', -5),
        ('"007"', 7),
        ('"' + "0" * 5000 + '9"', 9),
        ("-0", 0),
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
        ('""', None),
        ('"  "', None),
        ("null", None),
    ],
)
def test_a_port_is_any_int32_as_a_number_or_a_string(text: str, value: int | None) -> None:
    assert read_field("serverRestApiPort", text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("5.0", '"5.0"', "5e2", '"5e2"', "5.5", "true", "false", "[1]", "{}", "2147483648", "-2147483649"),
        *(
            '"2147483648"',
            '"1,000"',
            '"0x10"',
            '"#10"',
            '"1_0"',
            '"+ 5"',
            '"--5"',
            '"٨٠"',
            "9" * 5000,
            '"' + "9" * 5000 + '"',
        ),
    ],
)
def test_a_port_that_is_not_an_int32_is_rejected(text: str) -> None:
    problem = problem_of(f'{{"id":"{ID}","serverRestApiPort":{text}}}')
    assert (problem.status, fields_of(problem)) == (400, ["serverRestApiPort"])


@pytest.mark.parametrize(
    "text",
    [
        *(ID, ID.upper(), f" {ID}\n", ID.replace("-", ""), f"{{{ID}}}", f"({ID})"),
        "{0x3f2504e0,0x4f89,0x11d3,{0x9a,0x0c,0x03,0x05,0xe8,0x2c,0x33,0x01}}",
        "{0X3F2504E0, 0x4f89, 0x11d3, {0x9a,0xc,0x3,0x5,0xe8,0x2c,0x33,0x1}}",
    ],
)
def test_an_id_is_accepted_in_every_format_that_net_writes(text: str) -> None:
    assert read_field("id", f'"{text}"'.replace("\n", "\\n")) == UUID_


def test_an_id_of_zeros_is_valid() -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    assert str(read_field("id", f'"{zeros}"')) == zeros


@pytest.mark.parametrize(
    "text",
    [
        *(
            "null",
            '""',
            '" "',
            "5",
            "12345678901234567890123456789012",
            "true",
            "[]",
            "{}",
            '"zzz"',
            f'"urn:uuid:{ID}"',
        ),
        *(
            f'"0x{ID}"',
            f'"{ID[:-1]}"',
            f'"{ID}0"',
            f'"{{{ID})"',
            f'"{{{ID}"',
            f'"{ID.replace("-", "")[:31]}٣"',
        ),
        *('"{0x3f2504e0,0x4f89,0x11d3}"', f'"{ID[:8]}{ID[9:]}"'),
    ],
)
def test_a_value_that_is_not_a_guid_is_rejected_as_an_id(text: str) -> None:
    problem = problem_of(f'{{"id":{text}}}')
    assert (problem.status, fields_of(problem)) == (400, ["id"])


def test_all_violations_are_reported_at_once() -> None:
    problem = problem_of(
        '{"id":"zzz","chargerId":[],"tokenId":{},"serverIpAddress":"\\ud800","serverRestApiPort":true}'
    )
    assert fields_of(problem) == ["id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort"]
    assert problem.type == "/problems/invalid-request"
    assert all(error.message for error in problem.errors)


@pytest.mark.parametrize("depth", [300, 30_000])
def test_a_deeply_nested_unknown_field_is_ignored_or_rejected(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"x":', "}")):
        nested = opening * (depth // len(opening)) + "1" + closing * (depth // len(opening))
        try:
            assert read_json(f'{{"id":"{ID}","x":{nested}}}').id == UUID_
        except ProblemError as error:
            assert fields_of(error.problem) == ["body"]  # noqa: PT017


@pytest.mark.parametrize(
    "value", ["9" * 60_000, "1e400", "-1e99999", '"\\ud800"', '"\\u0000"', "0." + "1" * 60_000]
)
def test_the_value_of_an_unknown_field_is_ignored(value: str) -> None:
    assert read_json(f'{{"id":"{ID}","x":{value}}}').id == UUID_


@pytest.mark.parametrize(
    "text",
    [
        *(
            "null",
            "[]",
            '"text"',
            "5",
            "true",
            " ",
            "{",
            "{'id':1}",
            "{}x",
            "NaN",
            '{"id":NaN}',
            '{"x":Infinity}',
        ),
        *(
            '{"x":-Infinity}',
            '{"id":01}',
            '{"id":1,}',
            "//",
            '{"id"',
            '{"id":"\\x"}',
            '{"id":"\\ud8"}',
            "\0",
            "[" * 65_536,
        ),
    ],
)
def test_a_body_that_is_not_a_json_object_is_rejected(text: str) -> None:
    problem = problem_of(text)
    assert (problem.status, fields_of(problem)) == (400, ["body"])

from __future__ import annotations

import pytest

from tests.unit.wire.bodies import ID, UUID_, fields_of, problem_of, read_form


@pytest.mark.parametrize(
    ("pairs", "charger"),
    [
        ("chargerId=a+b%20c%2Bd%26%3D%C3%A9", "a b c+d&=é"),
        ("CHARGERID=A", "A"),
        ("charger%49d=A", "A"),
        ("chargerId=A&ChargerId=B", "A"),
        ("chargerId=&chargerId=B", None),
        ("chargerId", None),
        ("chargerId=", None),
        ("chargerId=+%20+", None),
        ("chargerId=+A+", " A "),
        ("chargerId=100%", "100%"),
        ("chargerId=%zz%4", "%zz%4"),
        ("chargerId=a=b", "a=b"),
        ("request.chargerId=A&chargerId[]=B", None),
        ("&&=&a[b]=c&%=1", None),
    ],
)
def test_pairs_are_parsed_as_net_parses_a_form(pairs: str, charger: str | None) -> None:
    request = read_form(f"id={ID}&{pairs}")
    assert (request.id, request.chargerId) == (UUID_, charger)


def test_a_semicolon_does_not_separate_pairs() -> None:
    assert fields_of(problem_of(f"id={ID};chargerId=CP", "application/x-www-form-urlencoded")) == ["id"]


def test_escapes_that_are_not_utf_8_are_rejected_with_the_field_name() -> None:
    problem = problem_of(
        f"id={ID}&tokenId=%FF&chargerId=%ED%A0%80&x=%FF", "application/x-www-form-urlencoded"
    )
    assert (problem.status, fields_of(problem)) == (400, ["chargerId", "tokenId"])


def test_a_body_of_65_thousand_separators_is_accepted() -> None:
    assert read_form(f"id={ID}" + "&" * 65_000).id == UUID_

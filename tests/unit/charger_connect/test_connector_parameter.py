"""The query parameter `connectorId`, in any letter case, as the model binding of the original service reads it."""

from __future__ import annotations

from itertools import product

import pytest

from charger_connect.request import ConnectRequest, connector_of
from common.wire import ProblemError, read_request

BODY = b'{"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "chargerId": "CP-1"}'


def read(query: dict[str, str]) -> int | None:
    request = read_request(BODY, "application/json", ConnectRequest, connectorId=connector_of(query))
    return request.connectorId


@pytest.mark.parametrize("name", ["connectorId", "ConnectorId", "ConnectorID", "connectorid", "CONNECTORID"])
def test_the_parameter_is_read_in_any_letter_case(name: str) -> None:
    assert read({name: "2"}) == 2


def test_every_spelling_is_read() -> None:
    spellings = {"".join(letters) for letters in product(*((c.lower(), c.upper()) for c in "connectorid"))}
    assert len(spellings) == 2048
    assert {read({name: "3"}) for name in spellings} == {3}


@pytest.mark.parametrize("query", [{}, {"other": "2"}, {"connector": "2"}, {"connectorId2": "2"}, {"": "2"}])
def test_a_parameter_of_another_name_is_ignored(query: dict[str, str]) -> None:
    assert read(query) is None


def test_two_spellings_of_one_value_are_that_value() -> None:
    assert read({"connectorId": "2", "ConnectorID": "2"}) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"connectorId": "1", "ConnectorID": "2"},
        {"ConnectorID": "2", "connectorId": ""},
        {"ConnectorID": "1,2"},
        {"ConnectorID": "0"},
        {"CONNECTORID": "x"},
        {"connectorID": ""},
    ],
)
def test_two_values_or_an_invalid_one_are_rejected(query: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as refused:
        read(query)
    assert (refused.value.problem.status, [error.field for error in refused.value.problem.errors]) == (
        400,
        ["connectorId"],
    )

"""The recorded cases without HTTP: parsing bytes and headers to values, and writing values to bytes."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from common.wire import MediaType, OcppStatusResponse, ProblemError, negotiate, read_request, write_response
from tests.contract.cases import Bound, Exchange, Request, Response, exchanges, requests, responses
from tests.contract.conftest import RegisterCase

# Cases in which the original accidentally drops or adds values, and this service parses what was sent.
PARSED_DIFFERENTLY: dict[str, Bound] = {
    "id first": {"chargerId": "CP1"},  # the original drops an element that is out of order
    "array chargerId[]": {"chargerId": None},  # another name than that of the field
}
# Replacements for recorded nulls: in responses of this service only `info` may be null.
REPLACED_NULLS = {"chargerId": "", "connectorId": 0, "errorCode": "", "status": ""}
# Cases that the original rejects and this service accepts, because the sender's intent is clear.
ACCEPTED_ALTHOUGH_REJECTED = {
    "reverse order",
    "id last",
    "i:type other type",
    "declaration utf-16 but utf-8 bytes",
    "deep nesting unknown 300",
}


@pytest.mark.parametrize("exchange", exchanges(), ids=str)
def test_a_request_is_parsed_as_the_original_parsed_it(
    exchange: Exchange, register_case: RegisterCase
) -> None:
    register_case("wire", exchange)
    media = negotiate(
        exchange.header("Content-Type"), exchange.header("Accept"), exchange.header("X-Requested-With")
    )
    assert media == exchange.media_type
    if not exchange.reaches_the_endpoint or exchange.group == "route":
        return
    parsed, rejected = parse_or_reject(exchange.body, exchange.header("Content-Type"))
    if rejected is not None:
        assert rejected == exchange.status or (exchange.klass != "must" and 400 <= rejected < 500)
    elif exchange.status == 200:
        assert exchange.bound is not None
        assert parsed == exchange.bound | PARSED_DIFFERENTLY.get(exchange.name, {})
    else:
        assert exchange.klass == "may_accept"
        assert exchange.name in ACCEPTED_ALTHOUGH_REJECTED


@pytest.mark.parametrize(
    "exchange", [one for one in exchanges() if one.bound and None not in one.bound.values()], ids=str
)
def test_the_response_equals_that_of_the_original_byte_for_byte(exchange: Exchange) -> None:
    assert exchange.bound is not None
    echo = {"connectorId": "serverRestApiPort", "errorCode": "tokenId", "info": "serverIpAddress"}
    echoed = {name: exchange.bound[source] for name, source in echo.items()}
    message = status_response(
        {"id": exchange.bound["id"], "chargerId": exchange.bound["chargerId"], "status": "Accepted", **echoed}
    )
    content_type, body = write_response(message, MediaType(exchange.media_type))
    assert content_type == f"{exchange.media_type}; charset=utf-8"
    assert body == exchange.response_body


@pytest.mark.parametrize("request_", requests(), ids=str)
def test_a_body_of_a_net_client_is_parsed_to_the_values_that_it_sent(
    request_: Request, register_case: RegisterCase
) -> None:
    register_case("wire", request_)
    assert parse(request_.body, request_.content_type) == request_.sent


@pytest.mark.parametrize("response", responses(), ids=str)
def test_a_response_that_every_net_client_parses_is_written_byte_for_byte(
    response: Response, register_case: RegisterCase
) -> None:
    register_case("wire", response)
    message = status_response(
        {
            name: REPLACED_NULLS.get(name) if value is None else value
            for name, value in response.values.items()
        }
    )
    as_json, as_xml = response.json, response.xml
    for name, replacement in REPLACED_NULLS.items():
        as_json = as_json.replace(f'"{name}":null', f'"{name}":{json.dumps(replacement)}')
        as_xml = as_xml.replace(f'<{name} i:nil="true" />', f"<{name}>{replacement}</{name}>")
    assert (
        write_response(message, MediaType.JSON)[1]
        == write_response(message, MediaType.TEXT_JSON)[1]
        == as_json
    )
    assert (
        write_response(message, MediaType.XML)[1] == write_response(message, MediaType.TEXT_XML)[1] == as_xml
    )


def parse_or_reject(body: bytes, content_type: str | None) -> tuple[Bound | None, int | None]:
    """Return the parsed values and None, or None and the status code of the rejection."""
    try:
        return parse(body, content_type), None
    except ProblemError as error:
        return None, error.problem.status


def parse(body: bytes, content_type: str | None) -> Bound:
    return read_request(body, content_type).model_dump(mode="json")


def status_response(values: Bound) -> OcppStatusResponse:
    return OcppStatusResponse(**{**values, "id": UUID(values["id"])})

"""The contract at its first level: bytes and headers in, values out; values in, bytes out. No HTTP."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from tests.contract.cases import Answer, Bound, Exchange, Request, answers, exchanges, requests
from tests.contract.conftest import Ran
from wire import MediaType, OcppStatusResponse, Refused, negotiate, read_request, write

# Where the original is loose by accident and we read more, or other, than it did.
READ_OTHERWISE: dict[str, Bound] = {
    "id first": {"chargerId": "CP1"},  # the original drops an element that comes out of order
    "array chargerId[]": {"chargerId": None},  # a name of its own, not the member's
}
# The recorded nulls that no answer of ours holds: only `info` may be null.
OURS_FOR_NULL = {"chargerId": "", "connectorId": 0, "errorCode": "", "status": ""}
# What the original refuses and we read, since the sender's meaning is plain.
READ_THOUGH_REFUSED = {
    "reverse order",
    "id last",
    "i:type other type",
    "declaration utf-16 but utf-8 bytes",
    "deep nesting unknown 300",
}


@pytest.mark.parametrize("exchange", exchanges(), ids=str)
def test_an_exchange_is_read_as_the_original_read_it(exchange: Exchange, ran: Ran) -> None:
    ran("wire", exchange)
    media = negotiate(
        exchange.header("Content-Type"), exchange.header("Accept"), exchange.header("X-Requested-With")
    )
    assert media == exchange.media_type
    if not exchange.reaches_the_endpoint or exchange.group == "route":
        return
    read, refused = outcome(exchange.body, exchange.header("Content-Type"))
    if refused is not None:
        assert refused == exchange.status or (exchange.klass != "must" and 400 <= refused < 500)
    elif exchange.status == 200:
        assert exchange.bound is not None
        assert read == exchange.bound | READ_OTHERWISE.get(exchange.name, {})
    else:
        assert exchange.klass == "may_accept"
        assert exchange.name in READ_THOUGH_REFUSED


@pytest.mark.parametrize(
    "exchange", [one for one in exchanges() if one.bound and None not in one.bound.values()], ids=str
)
def test_the_answer_is_written_byte_for_byte_as_the_original_wrote_it(exchange: Exchange) -> None:
    assert exchange.bound is not None
    echo = {"connectorId": "serverRestApiPort", "errorCode": "tokenId", "info": "serverIpAddress"}
    told = {ours: exchange.bound[theirs] for ours, theirs in echo.items()}
    answer = answer_of(
        {"id": exchange.bound["id"], "chargerId": exchange.bound["chargerId"], "status": "Accepted", **told}
    )
    content_type, body = write(answer, MediaType(exchange.media_type))
    assert content_type == f"{exchange.media_type}; charset=utf-8"
    assert body == exchange.answer


@pytest.mark.parametrize("request_", requests(), ids=str)
def test_a_body_of_a_net_client_means_what_the_client_meant(request_: Request, ran: Ran) -> None:
    ran("wire", request_)
    assert values(request_.body, request_.content_type) == request_.sent


@pytest.mark.parametrize("answer", answers(), ids=str)
def test_an_answer_that_every_net_client_reads_is_written_byte_for_byte(answer: Answer, ran: Ran) -> None:
    ran("wire", answer)
    message = answer_of(
        {name: OURS_FOR_NULL.get(name) if value is None else value for name, value in answer.values.items()}
    )
    as_json, as_xml = answer.json, answer.xml
    for name, ours in OURS_FOR_NULL.items():
        as_json = as_json.replace(f'"{name}":null', f'"{name}":{json.dumps(ours)}')
        as_xml = as_xml.replace(f'<{name} i:nil="true" />', f"<{name}>{ours}</{name}>")
    assert write(message, MediaType.JSON)[1] == write(message, MediaType.TEXT_JSON)[1] == as_json
    assert write(message, MediaType.XML)[1] == write(message, MediaType.TEXT_XML)[1] == as_xml


def outcome(body: bytes, content_type: str | None) -> tuple[Bound | None, int | None]:
    try:
        return values(body, content_type), None
    except Refused as refused:
        return None, refused.problem.status


def values(body: bytes, content_type: str | None) -> Bound:
    return read_request(body, content_type).model_dump(mode="json")


def answer_of(told: Bound) -> OcppStatusResponse:
    return OcppStatusResponse(**{**told, "id": UUID(told["id"])})

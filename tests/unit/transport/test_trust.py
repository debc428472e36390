from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal import DynamoDB
from transport import trust
from transport.credentials import from_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nothing_read() -> Iterator[None]:
    trust.cache_clear()
    yield
    trust.cache_clear()


def test_what_the_machine_trusts_is_read_before_the_first_call_and_once_for_table_and_link() -> None:
    DynamoDB("https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1", from_environment({}))
    assert trust.cache_info().misses == 1
    trust(None)  # as the link asks, where an entry names no authority
    assert trust.cache_info().misses == 1


def test_a_table_without_tls_reads_nothing() -> None:
    DynamoDB("http://127.0.0.1:8000", "eu-west-1", from_environment({}))
    assert trust.cache_info().misses == 0

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.aws.credentials import from_environment
from common.journal import DynamoDB
from common.transport import load_tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    load_tls_context.cache_clear()
    yield
    load_tls_context.cache_clear()


def test_the_authorities_of_the_machine_are_read_at_start_and_once_for_table_and_link() -> None:
    DynamoDB("https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1", from_environment({}))
    assert load_tls_context.cache_info().misses == 1
    load_tls_context(None)  # as the charger link calls it for an entry without a certificate authority
    assert load_tls_context.cache_info().misses == 1


def test_a_table_without_tls_reads_no_authorities() -> None:
    DynamoDB("http://127.0.0.1:8000", "eu-west-1", from_environment({}))
    assert load_tls_context.cache_info().misses == 0

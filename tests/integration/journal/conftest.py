from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from common.aws.credentials import from_environment
from common.journal import DynamoDB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer


@pytest.fixture
def dynamodb(table: TableServer) -> Iterator[DynamoDB]:
    environ = table.environment()
    with closing(DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))) as client:
        yield client

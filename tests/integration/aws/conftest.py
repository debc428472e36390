"""Emulated Secrets Manager and Systems Manager (moto), with the environment of a function that uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environ(moto_url: str) -> dict[str, str]:
    return {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "TABLE_NAME": "attempts",
        "JOURNAL_SECRET": "a secret of the tests",
    }


@pytest.fixture(scope="session")
def boto3_client(moto_url: str) -> Callable[[str], Any]:
    """Return a function that makes a boto3 client of a service, to prepare what the code under test reads."""

    def client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            REGION,
            endpoint_url=moto_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return client

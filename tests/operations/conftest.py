"""Fixtures and functions for tests of the real handlers' log lines and metrics."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

import authorizer.handler
import callback.handler
import callback.record
import preflight.handler
import resolve.observe
from charger_connect import observe
from common.edge import guard, journal_access
from scripts.deployed import deployed_resources
from scripts.transform import load
from tests.integration.calling import Caller, calling
from tests.integration.conftest import server, shared_table, table

__all__ = ["server", "shared_table", "table"]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

    Line = dict[str, Any]


_LOGGERS: list[Any] = [
    observe._log,
    authorizer.handler._log,
    callback.handler._log,
    callback.record._log,
    guard._log,
    journal_access._log,
    preflight.handler._log,
    resolve.observe._log,
]


@pytest.fixture(scope="module", autouse=True)
def _metrics_have_a_namespace() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "local")  # the stack's name, as in the template
        yield


@pytest.fixture(scope="session")
def parameters() -> set[str]:
    """Return the names of the template's parameters."""
    return set(load()["Parameters"])


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    """Return the resources of a deployment with every default, over all templates, by logical id."""
    return deployed_resources(load())


@pytest.fixture
def caller(table: TableServer) -> Iterator[Caller]:
    with calling(table, LINK_TIMEOUT="1") as caller:
        yield caller


@contextmanager
def captured_lines() -> Iterator[list[Line]]:
    """Capture the log lines and metrics that functions print. The list is filled when the block ends."""
    lines: list[Line] = []
    printed = io.StringIO()
    handlers = {log.registered_handler for log in _LOGGERS}
    before = [(handler, handler.setStream(printed)) for handler in handlers]
    try:
        with redirect_stdout(printed):
            yield lines
    finally:
        for handler, stream in before:
            handler.setStream(stream)
        print(printed.getvalue(), end="")  # for the search of all output for tokens
        lines += [json.loads(line) for line in printed.getvalue().splitlines()]


def messages(lines: list[Line]) -> list[Line]:
    """Return the log lines without the metrics."""
    return [line for line in lines if "message" in line]


def metrics(lines: list[Line]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the sum of each metric by name and dimensions, as CloudWatch reads the embedded metric format."""
    sums: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "ChargerConnect"
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, line[name]) for name in names)
                for metric in directive["Metrics"]:
                    key = (metric["Name"], dimensions)
                    sums[key] = sums.get(key, 0) + sum(line[metric["Name"]])
    return sums
